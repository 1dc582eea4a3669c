// What a consumer does beside handling: retries, staying alive, looking at the group, and its end.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/group_consumer.hpp>
#include <bridges/redis/group_scripts.hpp>

namespace actorbus::redis {

namespace {

/// How often the group is looked at, and what was refused is asked for again.
constexpr std::chrono::milliseconds look_every{1000};

/// How often consumers that are silent are looked for, at most.
constexpr std::chrono::nanoseconds forget_most{std::chrono::minutes{1}};

/// Others' entries are looked for a few times before they are due.
constexpr std::chrono::nanoseconds claim_least{std::chrono::milliseconds{10}};
constexpr std::chrono::nanoseconds claim_most{std::chrono::seconds{1}};

constexpr std::chrono::milliseconds breath{1};

/// Ids of one script: it must not hold up the server.
constexpr std::size_t most_ids = 256;

}  // namespace

void group_consumer::arm(clock::time_point not_before) {
  const auto when = std::max(not_before, std::min({ledger_.wake_at(), claim_at_, look_at_}));
  if (when >= armed_ || ended_) return;
  armed_ = when;
  later_.expires_at(when);
  later_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->ended_) return;
    self->armed_ = clock::time_point::max();
    self->tick();
  });
}

void group_consumer::tick() {
  const auto now = clock::now();
  if (core_.has_commands()) {
    if (!finishing_) retry();
    keep_alive();
    if (look_at_ <= now) look();
  } else {
    core_.commands().want();  // it may only rest
  }
  if (claim_at_ <= now) {
    claim_due_ = true;
    claim_at_ = now + std::clamp(with_.claim_after / 4, claim_least, claim_most);
  }
  if (look_at_ <= now) look_at_ = now + look_every;
  reader_.pump();
  arm(now + breath);  // what cannot be done now is not tried in a circle
  look_at_end();
}

void group_consumer::claim_those(const std::vector<std::string>& ids, std::string_view idle,
                                 std::function<void(const reply*)> then) {
  command_writer out(core_.commands().out());
  out.begin(7 + ids.size()).word("EVAL").word(claim_script).word("1").word(names_.key).word(names_.group);
  out.word(names_.consumer).word(idle);
  for (const auto& each : ids) out.word(each);
  expect_once(core_.commands(), [weak = weak_from_this(), then = std::move(then)](const reply* what) {
    const auto self = weak.lock();
    if (self && !self->ended_) then(what);
  });
}

void group_consumer::retry() {
  auto over = ledger_.take_rested(clock::now());
  std::sort(over.begin(), over.end());
  for (std::size_t i = 0; i < over.size(); i += most_ids) {
    std::vector<std::string> ids;
    for (std::size_t j = i; j < std::min(over.size(), i + most_ids); ++j) ids.push_back(over[j].to_string());
    claim_those(ids, "own", [this, ids](const reply* what) { recalled(ids, what); });
  }
}

void group_consumer::recalled(const std::vector<std::string>& asked, const reply* what) {
  if (what == nullptr) return;  // asked again on the next connection
  const bool is_missing = what->text.find("NOGROUP") != std::string_view::npos;
  if (what->is_error() && !is_missing) {
    core_.warn("no retry", "cannot retry entries of '" + names_.key + "' now: " + std::string(what->text));
    std::vector<stream_id> ids;
    ids.reserve(asked.size());
    for (const auto& each : asked) ids.push_back(*stream_id::parse(each));
    ledger_.not_recalled(ids, clock::now() + look_every);  // all at once, and not in a circle
    arm();
    return look_at_end();
  }
  if (what->is_array()) take_claimed(*what, core_.commands().take_memory());
  for (const auto& each : asked) {
    const auto id = *stream_id::parse(each);
    ledger_.recalled(id, std::nullopt, clock::now());
    if (!ledger_.holds(id)) partly_.erase(id);
  }
  reader_.pump();
  look_at_end();
}

void group_consumer::make_idle(const std::vector<stream_id>& ids, std::chrono::milliseconds how_long,
                               std::function<void(const reply*)> then) {
  for (std::size_t i = 0; i < ids.size(); i += most_ids) {
    const std::size_t end = std::min(ids.size(), i + most_ids);
    command_writer out(core_.commands().out());
    out.begin(7 + end - i).word("EVAL").word(idle_script).word("1").word(names_.key).word(names_.group);
    out.word(names_.consumer).number(how_long.count());
    for (std::size_t j = i; j < end; ++j) out.word(ids[j].to_string());
    expect_once(core_.commands(), [weak = weak_from_this(), then](const reply* what) {
      const auto self = weak.lock();
      if (self && !self->ended_ && then) then(what);
    });
  }
}

void group_consumer::keep_alive() {
  const auto aging = ledger_.take_aging(clock::now());
  make_idle(aging, std::chrono::milliseconds{0}, [this](const reply* what) {
    if (what == nullptr || !what->is_array()) return;
    for (const reply& each : what->elements) {
      if (const auto id = stream_id::parse(each.text)) revoke(*id);
    }
    reader_.pump();
    look_at_end();
  });
}

/// It is another's: handled here only if that has begun.
void group_consumer::revoke(stream_id id) {
  ledger_.forget(id);
  partly_.erase(id);
  for (const auto& batch : batches_) {
    for (auto& each : batch->tasks) {
      auto open = group_task::outcome::open;
      if (each.id == id) each.state.compare_exchange_strong(open, group_task::outcome::revoked);
    }
  }
}

void group_consumer::look() {
  if (acks_refused_) {
    ledger_.lost_aside();
    acks_refused_ = false;
    acknowledge();
  }
  burial_.try_refused();
  forget_silent();
  if (std::exchange(looking_, true)) return;
  // All of one moment, or what others do between them looks like a loss.
  auto& out = core_.commands().out();
  append_command(out, {"MULTI"});
  append_command(out, {"XINFO", "STREAM", names_.key});
  append_command(out, {"XINFO", "GROUPS", names_.key});
  append_command(out, {"XPENDING", names_.key, names_.group});
  append_command(out, {"EXEC"});
  for (int replies = 0; replies < 4; ++replies) expect_once(core_.commands(), [](const reply*) {});
  const auto asked = clock::now();
  expect_once(core_.commands(), [weak = weak_from_this(), asked, had_group = reader_.has_group()](const reply* what) {
    const auto self = weak.lock();
    if (!self || what == nullptr) return;
    self->answered(asked);
    self->looked(*what, had_group);
  });
}

void group_consumer::look_soon() {
  has_looked_ = false;
  look_at_ = {};
  arm();
}

void group_consumer::looked(const reply& all, bool had_group) {
  if (all.elements.size() == 3) {
    const auto facts = stream_facts::of(all.elements[0]);
    const auto group = group_facts::of(all.elements[1], names_.group);
    if (group && facts.exists) found(progress_.look(facts, *group));
    looked_at_pending(all.elements[2]);
  }
  looking_ = false;
  if (had_group) {
    has_looked_ = true;
    reader_.pump();
  } else if (reader_.has_group()) {
    look_soon();  // it was made meanwhile: what is lost from now on is told
  }
}

void group_consumer::found(const group_progress::finding& what) {
  using kind = group_progress::finding::kind;
  if (what.what == kind::reset) tell(epoch_reset{.topic = {}, .reason = what.reason});
  if (what.what == kind::trimmed)
    tell(trimmed{.topic = {}, .first = what.first.to_string(), .last = what.last.to_string()});
}

/// Behind what was handed out before, to a free hand.
void group_consumer::tell(log_notice what) {
  ++core_.counts.gaps;
  auto batch = std::make_shared<group_batch>(1, nullptr);
  batch->tasks.front().notice = std::make_unique<log_notice>(std::move(what));
  batches_.push_back(batch);
  hands_->give(std::move(batch));
}

void group_consumer::forget_silent() {
  const auto now = clock::now();
  if (with_.forget_after.count() == 0 || now < forget_at_) return;
  forget_at_ = now + std::min(with_.forget_after, forget_most);
  const auto silent = std::chrono::ceil<std::chrono::milliseconds>(with_.forget_after).count();
  append_command(core_.commands().out(),
                 {"EVAL", forget_script, "1", names_.key, names_.group, names_.consumer, std::to_string(silent)});
  expect_once(core_.commands(), [](const reply*) {});  // without a group, or the right to: some other time
}

void group_consumer::looked_at_pending(const reply& summary) {
  if (summary.elements.size() < 3) return;
  pending_ = static_cast<std::uint64_t>(std::max<std::int64_t>(summary.elements[0].integer, 0));
  const auto oldest = stream_id::parse(summary.elements[1].text);
  handled_to_ = pending_ != 0 && oldest ? oldest->previous() : progress_.delivered_to();
}

std::optional<stream_id> group_consumer::place_in(const stream_facts& now) {
  const auto held = ledger_.oldest();
  const stream_id place = held ? std::min(handled_to_, held->previous()) : handled_to_;
  const auto what = progress_.regroup(now, place);
  found(what);
  again_to_ = now.exists ? now.last_generated : stream_id{};
  if (what.what == group_progress::finding::kind::reset || !progress_.has_looked()) return std::nullopt;
  return place;
}

void group_consumer::finish() {
  if (std::exchange(finishing_, true) || ended_) return;
  reader_.end_reading();
  look_at_end();
}

void group_consumer::look_at_end() {
  if (!finishing_ || leaving_ || ended_ || reserved_ != 0 || reader_.is_reading()) return;
  if (!ledger_.is_settled() || !burial_.empty()) return;
  leave();
}

/// What is about to be retried is handed on at once, and an empty place is given up.
void group_consumer::leave() {
  leaving_ = true;
  hands_->close();
  if (!core_.has_commands()) return end(ledger_.held() == 0);
  make_idle(ledger_.resting(), std::chrono::duration_cast<std::chrono::milliseconds>(with_.claim_after), {});
  append_command(core_.commands().out(), {"EVAL", leave_script, "1", names_.key, names_.group, names_.consumer});
  expect_once(core_.commands(), [weak = weak_from_this()](const reply*) {
    if (const auto self = weak.lock()) self->end(true);
  });
}

void group_consumer::stop() { end(false); }

void group_consumer::end(bool all) {
  if (std::exchange(ended_, true)) return;
  hands_->close();
  later_.cancel();
  linger_.cancel();
  reader_.stop();
  core_.states().gone(supervisor::role::group, mark());
  core_.loop().post([self = shared_from_this()] { self->core_.remove(*self); });
  if (end_) end_->ended(all);
}

}  // namespace actorbus::redis
