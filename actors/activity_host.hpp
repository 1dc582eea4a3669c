// What all activities of one engine share.
#pragma once

#include <functional>
#include <utility>

#include <actors/alarm_clock.hpp>
#include <actors/open_slots.hpp>

namespace caf {
class actor_system;
}

namespace actorbus::actors {

/// Valid for a slot until it is closed and nobody is inside.
struct activity_host {
  activity_host(caf::actor_system& on, std::function<void()> on_thread_start)
      : system(on), alarms(std::move(on_thread_start)) {}

  caf::actor_system& system;
  alarm_clock alarms;
  open_slots slots;
};

}  // namespace actorbus::actors
