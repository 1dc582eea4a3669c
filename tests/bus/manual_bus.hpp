// A bus on a manual engine: handlers run and time passes when the test says so.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <bus/bus.hpp>
#include <bus/manual_engine.hpp>

namespace actorbus::testing {

struct manual_bus {
  explicit manual_bus(bus_options options = {})
      : engine(std::make_shared<manual_engine>()), bus(engine, std::move(options)) {}

  std::size_t run() { return engine->run(); }
  void advance(std::chrono::nanoseconds by) { engine->advance(by); }

  /// What a snapshot says of a topic; nothing if there is none of that name.
  std::optional<topic_snapshot> topic(std::string_view name) const {
    for (auto& each : bus.snapshot().topics) {
      if (each.name == name) return each;
    }
    return std::nullopt;
  }

  std::shared_ptr<manual_engine> engine;
  actorbus::bus bus;
};

}  // namespace actorbus::testing
