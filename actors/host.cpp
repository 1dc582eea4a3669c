#include <actors/host.hpp>

#include <actors/hosted_engine.hpp>

namespace actorbus {

std::shared_ptr<engine> engine_on(caf::actor_system& system) { return std::make_shared<actors::hosted_engine>(system); }

}  // namespace actorbus
