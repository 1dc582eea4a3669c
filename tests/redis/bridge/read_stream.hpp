// What one process is told that reads the stream `x`, with the ranges of what it lost; entries whose ids are numbers.
#pragma once

#include <chrono>
#include <string>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

namespace actorbus::testing {

/// Entries whose ids are their numbers, and so their times, in milliseconds.
inline void add_numbers(redis_client& client, int from, int to) {
  for (const auto& each : numbers(from, to)) client.run("XADD", "t:x", each + "-0", "data", each);
}

inline std::chrono::system_clock::time_point at(std::chrono::milliseconds time) {
  return std::chrono::system_clock::time_point(time);
}

/// As a diary, with the ranges of what was trimmed.
inline auto with_ranges(diary& told) {
  return overloaded{[&](const event<std::string>& e) { told.add(*e); },
                    [&](const trimmed& t) { told.add("trimmed " + t.first + " to " + t.last); },
                    [&](const epoch_reset& r) { told.add("reset: " + r.reason); },
                    [&](const caught_up&) { told.add("caught up"); }};
}

/// A process that reads the stream, until the last line, and then one more entry.
inline lines read_stream(const redis_server& server, redis::stream_options with, const std::string& last) {
  process b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(with_ranges(told));
  with.direction = redis::direction::in;
  b.redis.stream<std::string>("x", with);
  REQUIRE(eventually([&] { return told.ends_with(last); }));
  redis_client(server).run("XADD", "t:x", "*", "data", "live");
  REQUIRE(eventually([&] { return told.ends_with("live"); }));
  return told.get();
}

/// What the largest id of a millisecond ends with.
inline const std::string of_the_last = "-18446744073709551615";

}  // namespace actorbus::testing
