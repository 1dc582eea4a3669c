#include <bridges/redis/group_ledger.hpp>

#include <algorithm>

namespace actorbus::redis {

std::size_t group_ledger::room() const { return with_.max_in_flight - std::min(with_.max_in_flight, held_.size()); }

bool group_ledger::add(stream_id id, std::uint64_t deliveries, time_point now) {
  if (!held_.emplace(id, entry{state::waiting, deliveries, now, {}}).second) return false;
  waiting_.push_back(id);
  next_look_ = std::min(next_look_, now + keep_alive());
  return true;
}

std::optional<stream_id> group_ledger::start() {
  if (waiting_.empty() || running_ >= with_.concurrency) return std::nullopt;
  const stream_id next = waiting_.front();
  waiting_.pop_front();
  held_.at(next).now = state::running;
  ++running_;
  return next;
}

void group_ledger::done(stream_id id) {
  entry& which = held_.at(id);
  if (which.now == state::running) --running_;
  which.now = state::done;
  done_.push_back(id);
}

bool group_ledger::failed(stream_id id, time_point now) {
  entry& which = held_.at(id);
  if (which.deliveries >= with_.max_deliveries) return false;
  --running_;
  which.now = state::resting;
  which.rested_at = now + delay_before(which.deliveries + 1);
  resting_.emplace(which.rested_at, id);
  return true;
}

std::uint64_t group_ledger::deliveries(stream_id id) const { return held_.at(id).deliveries; }

/// first_delay before the second delivery, twice as long before each further one.
std::chrono::nanoseconds group_ledger::delay_before(std::uint64_t delivery) const {
  auto delay = with_.first_delay;
  for (std::uint64_t i = 2; i < delivery && delay < with_.longest_delay; ++i) delay *= 2;
  return std::min(delay, with_.longest_delay);
}

std::vector<stream_id> group_ledger::take_rested(time_point now) {
  std::vector<stream_id> over;
  while (!resting_.empty() && resting_.begin()->first <= now) {
    over.push_back(resting_.begin()->second);
    resting_.erase(resting_.begin());
    held_.at(over.back()).now = state::recalling;
  }
  return over;
}

void group_ledger::recalled(stream_id id, std::optional<std::uint64_t> deliveries, time_point now) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.now != state::recalling) return;
  if (!deliveries) {
    held_.erase(found);
    return;
  }
  found->second = {state::waiting, *deliveries, now, {}};
  waiting_.push_back(id);
}

std::vector<stream_id> group_ledger::take_done() {
  for (const auto& each : done_) held_.at(each).now = state::confirming;
  confirming_ += done_.size();
  return std::exchange(done_, {});
}

void group_ledger::acknowledged(const std::vector<stream_id>& which) {
  for (const auto& each : which) {
    const auto found = held_.find(each);
    if (found == held_.end() || found->second.now != state::confirming) continue;
    held_.erase(found);
    --confirming_;
  }
}

std::vector<stream_id> group_ledger::take_aging(time_point now) {
  std::vector<stream_id> aging;
  if (now < next_look_) return aging;
  next_look_ = time_point::max();
  for (auto& [id, each] : held_) {
    if (each.now == state::done || each.now == state::confirming) continue;
    if (now - each.known_alive >= keep_alive()) {
      each.known_alive = now;
      aging.push_back(id);
    }
    next_look_ = std::min(next_look_, each.known_alive + keep_alive());
  }
  std::sort(aging.begin(), aging.end());
  return aging;
}

void group_ledger::lost(time_point now) {
  for (auto& [id, each] : held_) {
    if (each.now == state::confirming) {
      each.now = state::done;
      done_.push_back(id);
    } else if (each.now == state::recalling) {
      each.now = state::resting;
      each.rested_at = now;
      resting_.emplace(now, id);
    }
  }
  std::sort(done_.begin(), done_.end());
  confirming_ = 0;
}

group_ledger::time_point group_ledger::wake_at() const {
  return resting_.empty() ? next_look_ : std::min(next_look_, resting_.begin()->first);
}

}  // namespace actorbus::redis
