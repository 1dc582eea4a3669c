// What all activities of one engine share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include <actors/alarm_clock.hpp>
#include <actors/open_slots.hpp>

namespace caf {
class actor_system;
}

namespace actorbus::actors {

/// Valid for a slot until it is closed and nobody is inside.
struct activity_host {
  activity_host(caf::actor_system& on, std::function<void()> on_thread_start);

  /// More pool actors are awake, running or rung, than there are workers. Relaxed: it advises, and orders nothing.
  bool is_crowded() const { return awake->load(std::memory_order_relaxed) > workers; }

  caf::actor_system& system;
  const int workers;
  alarm_clock alarms;
  open_slots slots;
  const std::shared_ptr<std::atomic<int>> awake = std::make_shared<std::atomic<int>>(0);  ///< see is_crowded
};

}  // namespace actorbus::actors
