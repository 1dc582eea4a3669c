#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/group_consumer.hpp>

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>

namespace actorbus::redis {

namespace {

/// How long outcomes are gathered before more of them are acknowledged.
constexpr std::chrono::microseconds gathering{200};

group_settings settings_of(const consume_options& with) {
  return {.max_in_flight = with.max_in_flight,
          .max_deliveries = with.max_deliveries,
          .claim_after = with.claim_after,
          .first_delay = with.retry_first,
          .longest_delay = with.retry_most};
}

}  // namespace

group_consumer::group_consumer(bridge_core& of, group_names names, const consume_options& with,
                               std::shared_ptr<group_hands> hands)
    : core_(of),
      names_(std::move(names)),
      with_(with),
      claim_after_(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(with.claim_after).count())),
      hands_(std::move(hands)),
      ledger_(settings_of(with)),
      burial_(of, names_,
              [this](stream_id id) {
                partly_.erase(id);
                ledger_.acknowledged({id});
                reader_.pump();
                look_at_end();
              }),
      reader_(of, *this),
      later_(of.loop().context()),
      linger_(of.loop().context()) {}

void group_consumer::start_hands() {
  hands_->start(with_.concurrency, with_.run_on, [core = core_.weak_from_this(), weak = weak_from_this()] {
    const auto alive = core.lock();
    if (!alive) return;
    alive->loop().post([weak] {
      if (const auto self = weak.lock()) self->outcome();
    });
  });
}

void group_consumer::start() {
  losses_ = core_.commands().counts().lost;
  reader_.start();
  core_.states().asked(supervisor::role::group);
  if (core_.has_commands()) {
    tick();
  } else {
    core_.commands().want();
  }
}

void group_consumer::on_commands() {
  if (ended_) return;
  if (std::exchange(losses_, core_.commands().counts().lost) != core_.commands().counts().lost) hold_claims();
  ledger_.lost(clock::now());
  looking_ = acks_refused_ = false;
  look_at_ = {};
  burial_.send_again();
  acknowledge();
  tick();
}

std::size_t group_consumer::wants() {
  if (finishing_ || ended_) return 0;
  if (core_.bus()->is_closing()) {
    core_.loop().post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->finish();
    });
    return 0;
  }
  // Half of it at least, so that reads are large, unless hands may have nothing to do meanwhile.
  const std::size_t room = ledger_.room() - std::min(ledger_.room(), reserved_);
  return room >= half() || ledger_.out() <= with_.concurrency ? room : 0;
}

void group_consumer::take_new(std::span<const reply> entries, const std::shared_ptr<arena>& memory) {
  const auto now = clock::now();
  std::vector<arrival> fresh;
  fresh.reserve(entries.size());
  for (const reply& each : entries) {
    const auto id = each.elements.size() < 2 ? std::nullopt : stream_id::parse(each.elements[0].text);
    if (!id) continue;
    progress_.delivered(*id);
    if (!ledger_.add(*id, 1, now)) continue;
    const bool may_have_come = *id <= again_to_;
    if (may_have_come) ++core_.counts.redelivered;
    fresh.push_back({*id, each.elements[0].text, each.elements[1].elements, 1, may_have_come ? 2U : 1U});
  }
  hand_out(fresh, memory);
  acknowledge();  // what came again while that was under way
}

std::size_t group_consumer::take_claimed(const reply& what, const std::shared_ptr<arena>& memory) {
  const auto now = clock::now();
  std::vector<arrival> again;
  group_progress::finding gone;
  std::size_t got = 0;
  for (std::size_t i = 0; i + 2 < what.elements.size(); i += 3) {
    const auto id = stream_id::parse(what.elements[i].text);
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(what.elements[i + 1].integer, 0));
    if (!id) continue;
    if (count == 0) {
      if (gone.what == group_progress::finding::kind::nothing)
        gone = {.what = group_progress::finding::kind::trimmed, .first = *id, .last = *id};
      gone.first = std::min(gone.first, *id);
      gone.last = std::max(gone.last, *id);
      continue;
    }
    found(std::exchange(gone, {}));  // what is between those that are gone is told only where there is nothing
    ++got;
    if (!(ledger_.add(*id, count, now) || ledger_.recalled(*id, count, now))) continue;
    ++core_.counts.redelivered;
    again.push_back({*id, what.elements[i].text, what.elements[i + 2].elements, count, count});
  }
  found(gone);
  hand_out(again, memory);
  return got;
}

void group_consumer::hand_out(const std::vector<arrival>& what, const std::shared_ptr<arena>& memory) {
  const auto is_exhausted = [this](const arrival& each) { return ledger_.is_exhausted(each.deliveries); };
  const auto exhausted = static_cast<std::size_t>(std::count_if(what.begin(), what.end(), is_exhausted));
  auto batch = std::make_shared<group_batch>(what.size() - exhausted, memory);
  auto next = batch->tasks.begin();
  for (const auto& each : what) {
    if (is_exhausted(each)) {
      arrival last = each;
      --last.deliveries;  // this one does not come to a handler
      bury(last, "delivered " + std::to_string(last.deliveries) + " times and never acknowledged");
      continue;
    }
    next->id = each.id;
    next->id_text = each.text;
    next->words = each.words;
    next->deliveries = each.told;
    if (const auto part = partly_.find(each.id); part != partly_.end()) next->handled = part->second;
    ++next;
  }
  if (!batch->tasks.empty()) {
    batches_.push_back(batch);
    hands_->give(std::move(batch));
  }
  arm();
}

void group_consumer::bury(const arrival& what, const std::string& error, std::span<const std::string> rest) {
  std::vector<std::string_view> words;
  if (rest.empty()) {
    for (const reply& each : what.words) words.push_back(each.text);
  } else {
    words.assign(rest.begin(), rest.end());
  }
  ledger_.bury(what.id);
  burial_.add(what.id, what.deliveries, error, words);
}

/// On the loop, some time after a hand told it.
void group_consumer::outcome() {
  if (ended_) return;
  collect();
  linger();
}

/// Outcomes that come one after the other are not acknowledged one by one.
void group_consumer::linger() {
  if (std::exchange(lingering_, true)) return;
  linger_.expires_after(gathering);
  linger_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->ended_) return;
    self->lingering_ = false;
    self->hands_->rearm();
    if (self->collect()) self->linger();
  });
}

bool group_consumer::collect() {
  bool any = false;
  for (const auto& each : batches_) any = collect(*each) || any;
  if (!any) return false;
  std::erase_if(batches_, [](const auto& each) { return each->first_open == each->tasks.size(); });
  acknowledge();
  reader_.pump();
  reader_.flush();
  arm();
  look_at_end();
  return true;
}

bool group_consumer::collect(group_batch& from) {
  using outcome = group_task::outcome;
  bool any = false;
  bool leads = true;
  const std::size_t taken = std::min(from.next.load(std::memory_order_relaxed), from.tasks.size());
  for (std::size_t i = from.first_open; i < taken; ++i) {
    group_task& each = from.tasks[i];
    const auto now = each.state.load(std::memory_order_acquire);
    if (hands_->is_closed()) return false;  // killed, perhaps in that very handler: nothing is acknowledged any more
    if (now == outcome::handled || now == outcome::failed || now == outcome::poison) {
      collect(each);
      each.state.store(outcome::collected, std::memory_order_relaxed);
      any = true;
    }
    leads = leads && now != outcome::open;
    if (leads) from.first_open = i + 1;
  }
  return any || from.first_open == from.tasks.size();
}

void group_consumer::collect(group_task& from) {
  if (from.state.load(std::memory_order_relaxed) != group_task::outcome::handled) return failed(from);
  if (!from.handled.empty()) partly_.erase(from.id);
  ledger_.done(from.id);
}

void group_consumer::failed(group_task& from) {
  if (from.notice) {
    ++core_.counts.handlers_failed;
    return core_.warn("notice", "the handler of '" + names_.topic + "' threw at a notice: " + from.why->error);
  }
  if (!ledger_.holds(from.id)) return;  // another's by now
  const bool is_poison = from.state.load(std::memory_order_relaxed) == group_task::outcome::poison;
  if (is_poison) {
    ++core_.counts.decode_failures;
    core_.warn("not decodable", "entry " + from.id.to_string() + " of '" + names_.key +
                                    "' goes to the dead letters: " + from.why->error);
  } else {
    ++core_.counts.handlers_failed;
    if (!from.why->handled.empty()) partly_[from.id] = from.why->handled;
    if (ledger_.failed(from.id, clock::now())) return;
  }
  bury({from.id, from.id_text, from.words, ledger_.deliveries(from.id), 0}, from.why->error, from.why->rest);
}

/// Ahead of the next read where that is possible: then it need not wait for the answer.
void group_consumer::acknowledge() {
  using sent = group_ledger::sent;
  if (acks_refused_) return;
  if (reader_.can_acknowledge()) {
    if (auto ids = ledger_.take_done(sent::ahead); !ids.empty()) reader_.acknowledge(std::move(ids));
    return;
  }
  if (!core_.has_commands()) return core_.commands().want();
  auto ids = ledger_.take_done(sent::aside);
  if (ids.empty()) return;
  append_acknowledgement(core_.commands().out(), names_, ids);
  expect_once(core_.commands(), [weak = weak_from_this(), ids = std::move(ids)](const reply* what) {
    const auto self = weak.lock();
    if (!self || self->ended_ || what == nullptr) return;  // sent again on the next connection
    self->acknowledged(ids, *what);
    self->reader_.pump();
    self->look_at_end();
  });
  core_.commands().flush();
}

void group_consumer::acknowledged(const std::vector<stream_id>& which, const reply& what) {
  if (what.is_error()) {
    core_.warn("no acknowledgement",
               "the server does not acknowledge entries of '" + names_.key + "' now: " + std::string(what.text));
    acks_refused_ = true;
    return ledger_.lost_ahead();  // they hold room again
  }
  core_.counts.consumed += ledger_.acknowledged(which);
}

void group_consumer::lost_acknowledgements() {
  ledger_.lost_ahead();
  acknowledge();
}

void group_consumer::add_to(stats& sum) const {
  sum.in_hand += ledger_.held();
  for (const auto& each : core_.running()) {
    const auto* const other = dynamic_cast<const group_consumer*>(each.get());
    if (other == nullptr || other->names_.key != names_.key || other->names_.group != names_.group) continue;
    if (other != this) return;  // it has told what is of the group
    break;
  }
  sum.lag += progress_.lag();
  sum.pending += pending_;
}

}  // namespace actorbus::redis
