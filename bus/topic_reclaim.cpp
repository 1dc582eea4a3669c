// What a topic gives back when it idles: lanes, chunks, and in the end itself.
#include <algorithm>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

void topic_core::plan_reclaim() {
  if (reclaim_planned_.load(std::memory_order_relaxed) || reclaim_planned_.exchange(true, std::memory_order_acq_rel))
    return;
  bus_->later(bus_->options().reclaim_after, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->reclaim();
  });
}

void topic_core::reclaim() {
  reclaim_planned_.store(false, std::memory_order_release);
  if (is_retired() || bus_->is_closing()) return;
  if (!bell_.take()) return plan_reclaim();
  step();
  reclaim_lanes();
  const bool is_busy = std::exchange(reclaim_mark_, log_.next()) != log_.next();
  if (!is_busy) log_.give_back();
  const bool is_unread = std::any_of(cursors_.begin(), cursors_.end(),
                                     [this](const auto& each) { return each->position() != log_.next(); });
  if (rest_or_continue(is_busy || is_unread || !seen_.empty() || log_.has_undestroyed())) wake();
  if (!is_busy && is_retirable()) bus_->retire(*this);
}

void topic_core::reclaim_lanes() {
  set_fenced();
  for (const auto& [each, tail] : seen_) {
    const bool is_idle = std::exchange(each->reclaim_mark, each->drained()) == each->drained() || each->was_left();
    if (is_idle && each->empty() && each->seal()) remove_lane(*each);
  }
  look_at_lanes();
  survey();
  log_.trim(floor_);
}

bool topic_core::is_retirable() const {
  if (handles_.load(std::memory_order_acquire) != 0 || publishers_.load(std::memory_order_acquire) != 0 ||
      literals_.load(std::memory_order_acquire) != 0 || options().history != 0 ||
      unsettled_.load(std::memory_order_acquire) != 0) {
    return false;
  }
  std::lock_guard lock(mutex_);
  if (lanes_hold_something()) return false;
  if (has_ended()) return cursors_.empty();  // every reader was told
  const std::uint64_t end = log_.end();
  return std::all_of(cursors_.begin(), cursors_.end(),
                     [&](const auto& each) { return each->has_replayed() && each->position() == end; });
}

void topic_core::retire() {
  gate_.store(gate::closed, std::memory_order_release);
  ended_.store(retired, std::memory_order_release);
  for (auto& each : cursors()) {
    if (each->mark_ready()) each->reader().make_ready(*each);
  }
}

}  // namespace actorbus::core
