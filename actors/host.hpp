// A bus on an actor system of yours: its activities become actors beside your own.
//
//   caf::actor_system system{config};
//   actorbus::bus bus{actorbus::engine_on(system), options};
//
// Ownership: the system is yours and must outlive the bus, or whatever else is given the engine. Closing the bus ends
// the bus's actors and leaves yours alone. Workers, scheduling policy, log and thread hooks are those of your
// configuration. `scheduler.policy` "sharing" gives a bus its lowest latency.
#pragma once

#include <memory>

#include <caf/actor_system.hpp>

#include <bus/engine.hpp>

namespace actorbus {

/// An engine that runs on `system`, with one thread more, the clock of its alarms. Several engines may share a system.
std::shared_ptr<engine> engine_on(caf::actor_system& system);

}  // namespace actorbus
