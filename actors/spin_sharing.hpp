// A CAF scheduling policy like its `sharing`, one queue for all workers, except that idle workers keep looking at it
// instead of sleeping: waking an actor then involves neither kernel nor heap.
#pragma once

namespace caf {
class actor_system_config;
}

namespace actorbus::actors {

/// A system made with `config` schedules by this policy.
void use_spin_sharing(caf::actor_system_config& config);

}  // namespace actorbus::actors
