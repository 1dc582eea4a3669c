// How a topic closes: its gate, its quiet, and the end of its lanes.
#include <algorithm>
#include <limits>

#include <bus/bus_core.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

void topic_core::set_gate(gate to) {
  auto now = gate_.load(std::memory_order_relaxed);
  while (now < to && !(now == gate::finished && to == gate::draining)) {
    if (gate_.compare_exchange_weak(now, to, std::memory_order_acq_rel)) break;
  }
  {
    std::lock_guard lock(mutex_);
    for (auto& each : lanes_) each->room().publish();
  }
  if (bell_.ring_out()) wake();  // limits differ while the bus closes
}

bool topic_core::is_quiet() const {
  if (unsettled_.load(std::memory_order_acquire) != 0) return false;
  if (bell_.is_running()) return false;  // maybe in a callback of on_pressure
  std::lock_guard lock(mutex_);
  if (lanes_hold_something() || pressure_is_due()) return false;
  const std::uint64_t end = log_.end();
  return std::all_of(cursors_.begin(), cursors_.end(), [&](const auto& each) {
    const core::reader& by = each->reader();
    return !by.counts_for_quiet() || !by.holds_up_closing() || by.is_ended() || by.has_handled(*each, end);
  });
}

bool topic_core::try_close() {
  wants_close_.store(true, std::memory_order_relaxed);
  set_gate(gate::closed);  // with a fence; rings
  help();
  return has_ended();
}

void topic_core::close_here(std::size_t& budget, std::int64_t time) {
  do {
    // A publish that was under way when the gate was shut has returned without an error: append it if there is room.
    look_at_lanes();
    survey();
    std::size_t everything = std::numeric_limits<std::size_t>::max();
    drain_to(seen_, everything, time);
    for (auto& [each, tail] : seen_) {
      if (!each->empty() && limit_ <= log_.next()) {
        abandoned_.fetch_add(each->discard(make_error_code(errc::closed)), std::memory_order_relaxed);
      }
    }
  } while (!seal_lanes());
  settle_all(budget, time);  // whoever attached behind what is gone now
  log_.publish();
  std::uint8_t open = 0;
  ended_.compare_exchange_strong(open, static_cast<std::uint8_t>(finish_reason::closed) + 1, std::memory_order_acq_rel);
  rung_to_ = log_.next() + 1;  // so that every reader is rung, also at its end
}

bool topic_core::seal_lanes() {
  set_fenced();
  look_at_lanes();
  bool all = true;
  for (const auto& [each, tail] : seen_) {
    if (each->is_sealed() || each->seal()) {
      remove_lane(*each);
    } else {
      all = false;
    }
  }
  look_at_lanes();
  return all && seen_.empty();
}

void topic_core::remove_lane(lane& gone) {
  gone.room().publish();  // whoever waits for room in it finds it sealed
  std::lock_guard lock(mutex_);
  accepted_in_gone_.fetch_add(gone.drained(), std::memory_order_relaxed);  // a push since the seal is its publisher's
  std::erase_if(lanes_, [&](const auto& each) { return each.get() == &gone; });
  lanes_version_.fetch_add(1, std::memory_order_release);
}

}  // namespace actorbus::core
