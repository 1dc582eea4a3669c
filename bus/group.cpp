#include <bus/group.hpp>

#include <algorithm>

#include <bus/bus_core.hpp>
#include <bus/entry_loop.hpp>
#include <bus/group_member.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

/// Hands entries on to the group's list.
class dispatching_sink final : public sink {
 public:
  void take(reader& by, const batch& entries) override {
    auto& to = static_cast<group&>(by);
    cursor& at = entries.from;
    const std::uint64_t may_lag = entries.replay != nullptr || at.blocks() ? cursor::unlimited : at.capacity();
    const auto bound = to.is_keyed() ? at.capacity() : std::min<std::uint64_t>(at.capacity(), group::waiting_bound);
    for (std::uint64_t sequence = entries.first; sequence != entries.first + entries.count; ++sequence) {
      if (by.must_stop() || (may_lag != cursor::unlimited && at.lag_at(sequence) > may_lag)) return;
      const entry_view view = entries.view(sequence);
      if (view.at->note != nullptr && view.at->note->notice) {
        cursor::bump(at.counts.filtered);  // a notice about the topic is no work to share
      } else if (by.where() && !by.where()(view.metadata())) {
        cursor::bump(at.counts.filtered);
      } else {
        entries.holder.pin();
        shared_event one{stretch(&entries.holder, sequence),
                         sequence,
                         entries.replay == nullptr || entries.replay->numbered,
                         at.overflow() == overflow::disconnect ? cursor::unlimited : may_lag,
                         at.shared_topic(),
                         std::nullopt};
        if (to.is_keyed()) one.key = to.key_of(view);
        if (!to.hand_on(std::move(one), bound)) return;
      }
      entries.advance(sequence);
    }
  }
  void tell(const notice&) override {}
};

}  // namespace

group::group(std::shared_ptr<bus_core> bus, settings with, conduct how, std::string name, key_function key,
             const void* (*value_of)(const entry_view&))
    : subscriber(std::move(bus), std::move(with), std::move(how), std::make_unique<dispatching_sink>()),
      name_(std::move(name)),
      key_(std::move(key)),
      value_of_(value_of) {}

void group::join(std::shared_ptr<group_member> who) {
  bool too_late;
  {
    std::lock_guard lock(sharing_);
    too_late = over_;
    members_.push_back(who);
    who->ring_if_idle();  // something may wait for a member that is free
  }
  if (too_late) who->end(finish_reason::closed);
}

bool group::leave(const group_member& who, std::vector<shared_event> unfinished) {
  std::lock_guard lock(sharing_);
  for (auto& each : unfinished) put_back(std::move(each));
  std::erase_if(keys_, [&](const auto& each) { return each.second.holder == &who && each.second.events == 0; });
  for (auto& [key, state] : keys_) {
    if (state.holder == &who) state.holder = nullptr;
  }
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const auto& each) { return each.get() == &who; });
  if (found == members_.end()) return false;
  of_former_members_ += who.ledger();
  members_.erase(found);
  wake_members(members_.size());
  return members_.empty();
}

bool group::hand_on(shared_event what, std::size_t bound) {
  std::lock_guard lock(sharing_);
  if (waiting_.size() >= bound) {
    full_at_ = bound;
    control_.fetch_or(held, std::memory_order_relaxed);
    return false;
  }
  group_member* holder = nullptr;
  if (what.key) {
    key_state& state = keys_.try_emplace(*what.key, key_state{nullptr}).first->second;
    ++state.events;
    holder = state.holder;
  }
  waiting_.push_back(std::move(what));
  if (holder != nullptr) {
    holder->ring_if_idle();
  } else {
    wake_members(1);
  }
  return true;
}

void group::pass_on_wake() {
  std::lock_guard lock(sharing_);
  if (!waiting_.empty()) wake_members(members_.size());
}

void group::on_finished(finish_reason why) {
  std::lock_guard lock(sharing_);
  finished_ = why;
  if (is_exhausted()) wake_members(members_.size());
}

std::optional<finish_reason> group::has_finished() const {
  std::lock_guard lock(sharing_);
  return is_exhausted() ? finished_ : std::nullopt;
}

void group::wake_members(std::size_t count) {
  for (std::size_t i = 0; i < members_.size() && count != 0; ++i) {
    if (members_[next_member_++ % members_.size()]->ring_if_idle()) --count;
  }
}

group::waiting_list::iterator group::find_for(const group_member& who) {
  if (!is_keyed()) return waiting_.begin();
  return std::find_if(waiting_.begin(), waiting_.end(), [&](const shared_event& each) {
    const key_state& state = keys_.at(*each.key);
    return !state.blocked && (state.holder == nullptr || state.holder == &who);
  });
}

bool group::has_claimable(const group_member& who) const {
  std::lock_guard lock(sharing_);
  return is_exhausted() || const_cast<group*>(this)->find_for(who) != waiting_.end();
}

std::optional<shared_event> group::claim(group_member& who) {
  waiting_list gone;  // destroyed behind the lock
  std::optional<shared_event> taken;
  bool has_room = false;
  {
    std::lock_guard lock(sharing_);
    drop_overdue(gone);
    if (!gone.empty() && is_exhausted()) wake_members(members_.size());
    if (const auto found = find_for(who); found != waiting_.end()) {
      taken = std::move(*found);
      waiting_.erase(found);
      taken_.emplace_back(taken->topic.get(), taken->numbered ? taken->index : 0);
      if (taken->key) {
        key_state& state = keys_.at(*taken->key);
        state.holder = &who;
        state.blocked = true;
      }
    }
    has_room = full_at_ != 0 && waiting_.size() <= full_at_ / 2;
    if (has_room) full_at_ = 0;
  }
  if (has_room) release_hold();
  return taken;
}

void group::drop_overdue(waiting_list& gone) {
  while (!waiting_.empty()) {
    const shared_event& oldest = waiting_.front();
    if (oldest.may_lag == cursor::unlimited || oldest.topic->log().end() - oldest.index <= oldest.may_lag) return;
    if (oldest.key) --keys_.at(*oldest.key).events;
    ++overdue_;
    gone.splice(gone.end(), waiting_, waiting_.begin());
  }
}

void group::unblock(const shared_event& what) {
  const std::pair<const topic_core*, std::uint64_t> place{what.topic.get(), what.numbered ? what.index : 0};
  taken_.erase(std::find(taken_.begin(), taken_.end(), place));
  if (!what.key) return;
  key_state& state = keys_.at(*what.key);
  state.blocked = false;
}

void group::finish(const shared_event& what) {
  std::lock_guard lock(sharing_);
  unblock(what);
  if (is_exhausted()) wake_members(members_.size());
  if (!what.key) return;
  key_state& state = keys_.at(*what.key);
  if (--state.events == 0 && keys_.size() > 4096)
    keys_.erase(*what.key);  // a key that rests may move to another member
}

void group::put_back(shared_event what) {
  unblock(what);
  waiting_.push_front(std::move(what));
}

void group::park(shared_event what, std::chrono::nanoseconds delay) {
  auto parked = std::make_shared<shared_event>(std::move(what));
  bus().later(delay, [weak = weak_from_this(), parked] {
    auto self = weak.lock();
    if (!self) return;
    auto& of = static_cast<group&>(*self);
    std::lock_guard lock(of.sharing_);
    of.put_back(std::move(*parked));
    of.wake_members(of.members_.size());
  });
}

bool group::has_handled(const cursor& of, std::uint64_t sequence) const {
  if (!reader::has_handled(of, sequence)) return false;
  std::lock_guard lock(sharing_);
  const topic_core* topic = &of.topic();
  for (const auto& [taken_from, at] : taken_) {
    if (taken_from == topic && at < sequence) return false;
  }
  return std::none_of(waiting_.begin(), waiting_.end(),
                      [&](const auto& each) { return each.topic.get() == topic && each.index < sequence; });
}

reader::totals group::account() const {
  totals sum = subscriber::account();
  {
    std::lock_guard lock(sharing_);
    totals members = of_former_members_;
    for (const auto& each : members_) members += each->ledger();
    sum.delivered += members.delivered;
    sum.failed += members.failed;
    sum.retries += members.retries;
    sum.dropped += overdue_;
  }
  sum.abandoned = is_over() ? sum.offered - std::min(sum.offered, sum.delivered + sum.filtered + sum.dropped) : 0;
  return sum;
}

std::uint64_t group::lag() const {
  const std::uint64_t unread = reader::lag();
  std::lock_guard lock(sharing_);
  return unread + waiting_.size() + taken_.size();
}

void group::end(finish_reason why) {
  std::vector<std::shared_ptr<group_member>> members;
  {
    std::lock_guard lock(sharing_);
    members = members_;
  }
  for (const auto& each : members) each->end(why);  // the last to leave cancels the group
  subscriber::end(why);
}

void group::on_tear_down() {
  waiting_list gone;  // destroyed behind the lock: payloads may have destructors
  std::vector<std::shared_ptr<group_member>> members;
  {
    std::lock_guard lock(sharing_);
    over_ = true;
    gone.swap(waiting_);
    members = members_;
  }
  for (const auto& each : members) each->end(finish_reason::closed);  // nothing will come any more
}

bool group::holds_up_closing() const {
  std::lock_guard lock(sharing_);
  return std::any_of(members_.begin(), members_.end(), [](const auto& each) { return !each->is_paused(); });
}

std::size_t group::members() const {
  std::lock_guard lock(sharing_);
  return members_.size();
}

}  // namespace actorbus::core
