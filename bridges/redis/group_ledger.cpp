#include <bridges/redis/group_ledger.hpp>

#include <algorithm>

namespace actorbus::redis {

std::size_t group_ledger::room() const {
  return with_.max_in_flight - std::min(with_.max_in_flight, held_.size() - ahead_);
}

bool group_ledger::add(stream_id id, std::uint64_t deliveries, time_point now) {
  const auto [at, is_fresh] = held_.emplace(id, entry{state::out, deliveries, now, {}});
  if (!is_fresh) {
    if (!is_confirming(at->second)) return false;
    turn(at->second, state::done);
    done_.push_back(id);
    return false;
  }
  ++out_;
  next_look_ = std::min(next_look_, now + keep_alive());
  return true;
}

void group_ledger::turn(entry& which, state to) {
  if (which.now == state::out) --out_;
  if (which.now == state::confirming_ahead) --ahead_;
  if (to == state::confirming_ahead) ++ahead_;
  which.now = to;
}

void group_ledger::erase(entries::iterator which) {
  if (which->second.now == state::resting) resting_.erase({which->second.rested_at, which->first});
  turn(which->second, state::done);
  held_.erase(which);
}

void group_ledger::done(stream_id id) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.now != state::out) return;
  turn(found->second, state::done);
  done_.push_back(id);
}

bool group_ledger::failed(stream_id id, time_point now) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.now != state::out) return true;  // not ours to bury, or not any more
  entry& which = found->second;
  if (which.deliveries >= with_.max_deliveries) return false;
  rest(which, id, now + delay_before(which.deliveries + 1));
  return true;
}

void group_ledger::rest(entry& which, stream_id id, time_point until) {
  turn(which, state::resting);
  which.rested_at = until;
  resting_.emplace(until, id);
}

void group_ledger::bury(stream_id id) {
  const auto found = held_.find(id);
  if (found != held_.end() && found->second.now == state::out) turn(found->second, state::buried);
}

void group_ledger::forget(stream_id id) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.now == state::done || is_confirming(found->second)) return;
  erase(found);
}

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

bool group_ledger::recalled(stream_id id, std::optional<std::uint64_t> deliveries, time_point now) {
  const auto found = held_.find(id);
  if (found == held_.end() || found->second.now != state::recalling) return false;
  if (!deliveries) {
    held_.erase(found);
    return false;
  }
  found->second = {state::out, *deliveries, now, {}};
  ++out_;
  next_look_ = std::min(next_look_, now + keep_alive());
  return true;
}

std::vector<stream_id> group_ledger::take_done(sent how) {
  for (const auto& each : done_) turn(held_.at(each), how == sent::ahead ? state::confirming_ahead : state::confirming);
  return std::exchange(done_, {});
}

std::size_t group_ledger::acknowledged(const std::vector<stream_id>& which) {
  const std::size_t before = held_.size();
  for (const auto& each : which) {
    const auto found = held_.find(each);
    if (found == held_.end()) continue;
    if (is_confirming(found->second) || found->second.now == state::buried) erase(found);
  }
  return before - held_.size();
}

std::vector<stream_id> group_ledger::take_aging(time_point now) {
  std::vector<stream_id> aging;
  if (now < next_look_) return aging;
  next_look_ = time_point::max();
  for (auto& [id, each] : held_) {
    if (each.now == state::done || is_confirming(each)) continue;
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
  lost_aside();
  for (auto& [id, each] : held_) {
    if (each.now == state::recalling) rest(each, id, now);
  }
}

void group_ledger::not_recalled(const std::vector<stream_id>& which, time_point again) {
  for (const auto& each : which) {
    const auto found = held_.find(each);
    if (found != held_.end() && found->second.now == state::recalling) rest(found->second, each, again);
  }
}

void group_ledger::lost_aside() { do_again(state::confirming); }

void group_ledger::lost_ahead() { do_again(state::confirming_ahead); }

void group_ledger::do_again(state those) {
  for (auto& [id, each] : held_) {
    if (each.now != those) continue;
    turn(each, state::done);
    done_.push_back(id);
  }
  std::sort(done_.begin(), done_.end());
}

group_ledger::time_point group_ledger::wake_at() const {
  return resting_.empty() ? next_look_ : std::min(next_look_, resting_.begin()->first);
}

std::vector<stream_id> group_ledger::resting() const {
  std::vector<stream_id> all;
  for (const auto& each : resting_) all.push_back(each.second);
  std::sort(all.begin(), all.end());
  return all;
}

std::optional<stream_id> group_ledger::oldest() const {
  std::optional<stream_id> result;
  for (const auto& [id, each] : held_) result = result ? std::min(*result, id) : id;
  return result;
}

}  // namespace actorbus::redis
