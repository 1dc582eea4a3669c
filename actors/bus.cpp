// The composition root: a bus that brings its own actor system.
#include <bus/bus.hpp>

#include <actors/caf_engine.hpp>

namespace actorbus {

bus::bus(bus_options options) : core_(nullptr) {
  const engine_options engine{options.workers, options.idle, options.on_thread_start};
  core_ = std::make_shared<core::bus_core>(make_caf_engine(engine), std::move(options));
}

}  // namespace actorbus
