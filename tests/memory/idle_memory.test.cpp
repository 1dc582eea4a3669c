#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/memory/counting_new.hpp"
#include "tests/stress.hpp"

using namespace std::chrono_literals;
using actorbus::testing::bytes_held;
using actorbus::testing::eventually;
using actorbus::testing::scaled;

namespace {

struct pose {
  double x, y, theta;
};

enum class way { by_a_thread, through_the_actor };

bool has_no_lanes(const actorbus::bus& bus) {
  const auto now = bus.snapshot();
  return std::all_of(now.topics.begin(), now.topics.end(), [](const auto& each) { return each.lanes == 0; });
}

/// Makes topics, publishes to each once, waits until all is read and reclaimed; returns bytes a topic, what readers
/// need for it included.
std::size_t bytes_a_topic(std::size_t count, way how, bool read) {
  std::vector<actorbus::topic<pose>> topics;
  topics.reserve(count);
  actorbus::bus bus({.reclaim_after = 1ms});
  std::atomic<std::size_t> handled{0};
  actorbus::subscription all;
  if (read) all = bus.subscribe<pose>("idle.*", [&](const pose&) { ++handled; });
  const std::size_t before = bytes_held.load();
  const std::vector<pose> one(1);
  for (std::size_t i = 0; i < count; ++i) {
    topics.push_back(bus.topic<pose>("idle." + std::to_string(i)));
    if (how == way::by_a_thread) {
      topics.back().publish(one[0]);
    } else {
      topics.back().publisher().publish_all(one);
    }
  }
  REQUIRE(bus.flush(60s));
  REQUIRE(handled == (read ? count : 0));
  std::size_t held = 0;
  CHECK(eventually([&] {  // no lane is left, and a whole snapshot later nothing more was given back
    const std::size_t was = std::exchange(held, bytes_held.load());
    return has_no_lanes(bus) && was == held;
  }));
  const std::size_t each = (bytes_held.load() - before) / count;
  std::printf("an idle topic, published to %s, %s: %zu bytes\n",
              how == way::by_a_thread ? "directly" : "through its actor",
              read ? "read by a pattern's handler" : "not read", each);
  return each;
}

}  // namespace

TEST_CASE("each of 100,000 idle topics takes less than 4 KiB", "[idle_memory]") {
  const std::size_t count = std::min<std::size_t>(100'000, scaled(100'000));
  CHECK(bytes_a_topic(count, way::by_a_thread, false) < 4096);
  CHECK(bytes_a_topic(count, way::through_the_actor, false) < 4096);
  CHECK(bytes_a_topic(count, way::through_the_actor, true) < 4096);
}
