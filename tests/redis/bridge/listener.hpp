// A program that reads the stream `x` from its beginning and on, and what it was told.
#pragma once

#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"

namespace actorbus::testing {

struct listener : process {
  explicit listener(const redis_server& server, redis::stream_options with = {.from = replay::all()})
      : process(server) {
    with.direction = redis::direction::in;
    redis.stream<std::string>("x", with);
  }
  diary told;
  subscription s = bus.topic<std::string>("x").subscribe(told.handler());
};

}  // namespace actorbus::testing
