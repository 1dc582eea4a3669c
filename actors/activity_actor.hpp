// The CAF actor that runs one activity: its mailbox takes wakes, and each one runs one slice.
//
// CAF's types stay in the source, as everywhere in this room but in actors/host.hpp and actors/forward.hpp.
#pragma once

#include <memory>

#include <bus/engine.hpp>

namespace caf {
class actor_system;
}

namespace actorbus::actors {

class activity_actor;
class activity_slot;

/// Lets go of the actor, which ends at once or, if it was rung, when it gets its turn.
struct let_go {
  void operator()(activity_actor* actor) const noexcept;
};

using activity_actor_ptr = std::unique_ptr<activity_actor, let_go>;

/// An actor that runs `slot`, asleep; it keeps the slot alive. Throws std::system_error if there is no thread for it.
activity_actor_ptr start_actor(caf::actor_system& system, std::shared_ptr<activity_slot> slot, placement where);

/// Sends the actor its one message. Only if the last one was answered: the slot sees to that. The process ends if CAF
/// finds no memory for its scheduler's entry.
void ring(activity_actor& actor) noexcept;

}  // namespace actorbus::actors
