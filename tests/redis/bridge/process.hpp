// One program of several that share a Redis: a bus with a bridge.
#pragma once

#include <string>
#include <utility>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

inline constexpr std::chrono::seconds patience{20};

struct process {
  explicit process(const redis_server& server, redis::bridge_options with = {})
      : redis(bus, at(server.uri(), std::move(with))) {}
  explicit process(std::string uri, redis::bridge_options with = {})
      : redis(bus, at(std::move(uri), std::move(with))) {}

  actorbus::bus bus;
  redis::bridge redis;

  static redis::bridge_options at(std::string uri, redis::bridge_options with) {
    with.uri = std::move(uri);
    if (with.prefix.empty()) with.prefix = "t:";
    return with;
  }
};

/// What a thread of the test reads off a topic.
template <class T>
std::vector<T> read(actorbus::inbox<T>& from, std::size_t count) {
  std::vector<T> result;
  while (result.size() < count) {
    const auto one = from.next(patience);
    if (!one) break;
    result.push_back(**one);
  }
  return result;
}

}  // namespace actorbus::testing
