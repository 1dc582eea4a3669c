// The engine that runs a bus: on an actor system of its own, with the workers and threads described here.
//
// Each activity is a CAF actor, made at its first wake; one placed on a thread of its own gets actor and thread at
// once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <bus/engine.hpp>
#include <bus/idle_strategy.hpp>

namespace actorbus {

struct engine_options {
  std::size_t workers = 0;  ///< threads that share the pool's activities; 0: one for each core
  idle_strategy idle = idle_strategy::park;
  std::function<void()> on_thread_start = {};  ///< called once on each new thread, any number at a time; must not throw
};

/// Starts the actor system and its threads. `stop` ends them all.
/// Activities on a thread of their own never spin. Adding one throws std::system_error if the thread cannot be had.
std::shared_ptr<engine> make_caf_engine(const engine_options& options = {});

}  // namespace actorbus
