#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include <bus/bus.hpp>
#include <bus/manual_engine.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/memory/counting_new.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::allocations_of;
using testing::eventually;
using testing::own_allocations_of;

namespace {

struct reading {
  std::array<double, 4> values;
};

/// Nothing but events: no reclaiming in between.
const bus_options undisturbed{.workers = 1, .reclaim_after = 1h};

/// Counts what `round` allocates once the first rounds have made what is kept.
template <class Round>
std::size_t when_warm(std::size_t rounds, Round round) {
  for (int i = 0; i < 50; ++i) round();
  return allocations_of([&] {
    for (std::size_t i = 0; i < rounds; ++i) round();
  });
}

constexpr std::size_t rounds = 200, burst = 500;

}  // namespace

TEST_CASE("publishing and delivering allocate nothing per event while busy", "[allocations]") {
  auto engine = std::make_shared<manual_engine>();
  bus on(engine, undisturbed);
  auto topic = on.topic<reading>("t");
  std::size_t seen = 0;
  std::vector<subscription> subscribed;
  for (const auto where : {run_on::pool, run_on::topic}) {
    subscribed.push_back(topic.subscribe([&](const event<reading>&) { ++seen; }, {.run_on = where}));
  }
  auto out = topic.publisher();
  auto in = topic.inbox();
  const std::vector<reading> batch(burst);
  const auto by_publisher = when_warm(rounds, [&] {
    for (std::size_t i = 0; i < burst; ++i) out.publish({});
    engine->run();
    in.poll([&](const reading&) { ++seen; });
  });
  const auto by_topic = when_warm(rounds, [&] {
    for (std::size_t i = 0; i < burst; ++i) topic.publish({});
    engine->run();
    in.poll([&](const event<reading>&) { ++seen; });
  });
  const auto by_batch = when_warm(rounds, [&] {
    out.publish_all(batch);
    engine->run();
    in.poll([&](const reading&) { ++seen; });
  });
  CHECK(seen == 3 * 3 * (rounds + 50) * burst);
  std::printf("allocations of %zu bursts of %zu events, published, delivered twice, polled: %zu, %zu, %zu\n", rounds,
              burst, by_publisher, by_topic, by_batch);
  // What remains belongs to the engine's wake-ups and the log's chunks, a few a burst: far from one an event.
  CHECK(by_publisher < rounds * burst / 50);
  CHECK(by_topic < rounds * burst / 50);
  CHECK(by_batch < rounds * burst / 50);
}

TEST_CASE("a publish into a lane allocates nothing", "[allocations]") {
  auto engine = std::make_shared<manual_engine>();
  bus on(engine, undisturbed);
  auto topic = on.topic<reading>("t");
  const auto subscribed = topic.subscribe([](const reading&) {});
  auto out = topic.publisher();
  auto fill = [&] {
    for (std::size_t i = 0; i < burst; ++i) out.publish({});
    for (std::size_t i = 0; i < burst; ++i) topic.publish({});
  };
  fill();
  engine->run();
  out.publish({});  // the topic is busy from here on
  topic.publish({});
  CHECK(allocations_of(fill) == 0);
}

TEST_CASE("polling and waiting on an inbox allocate nothing", "[allocations]") {
  bus on(undisturbed);
  auto topic = on.topic<reading>("t");
  auto in = topic.inbox();
  auto out = topic.publisher();
  std::size_t seen = 0;
  auto poll = [&] { in.poll([&](const event<reading>&) { ++seen; }, 64); };
  auto next = [&] {
    while (in.next(0s)) ++seen;
  };
  std::size_t polling = 0, waiting = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    for (int n = 0; n < 100; ++n) out.publish({});
    polling += own_allocations_of(poll);
    waiting += own_allocations_of(next);
    poll();
    REQUIRE(on.flush(20s));
    next();
  }
  CHECK(seen == rounds * 100);
  CHECK(polling == 0);
  CHECK(waiting == 0);
  CHECK(own_allocations_of(poll) == 0);  // nothing there
}

TEST_CASE("waking an inbox's waiting thread allocates nothing", "[allocations]") {
  bus on(undisturbed);
  auto topic = on.topic<reading>("t");
  auto there = topic.inbox(), back = topic.inbox();
  std::atomic<std::size_t> seen{0};
  std::thread waiting([&] {
    while (there.next()) ++seen;
  });
  auto round = [&] {
    const std::size_t before = seen;
    topic.publish({});
    while (back.next(0s)) continue;
    if (!eventually([&] { return seen != before; })) FAIL("nobody woke");
  };
  // An event that comes before the one before was read goes through the topic's actor, whose wake-up is its engine's. A
  // machine that is busy otherwise makes some like that: what a wake-up by itself costs shows where there is none.
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (int batch = 0; batch < 200 && fewest != 0; ++batch) {
    const auto some = allocations_of([&] {
      for (int i = 0; i < 10; ++i) round();
    });
    fewest = std::min(fewest, some);
  }
  topic.finish();
  waiting.join();
  CHECK(fewest == 0);
}

TEST_CASE("the wake-up of a handler costs a small constant", "[allocations]") {
  bus on(undisturbed);
  auto topic = on.topic<reading>("t");
  std::atomic<std::size_t> seen{0};
  const auto subscribed = topic.subscribe([&](const reading&) { ++seen; });
  auto round = [&] {
    const std::size_t before = seen;
    topic.publish({});
    if (!eventually([&] { return seen != before; })) FAIL("not handled");
    if (!on.flush(20s)) FAIL("not flushed");
  };
  auto only_flush = [&] {
    if (!on.flush(20s)) FAIL("not flushed");
  };
  for (int i = 0; i < 100; ++i) round();
  constexpr std::size_t events = 1000;
  const auto with = allocations_of([&] {
    for (std::size_t i = 0; i < events; ++i) round();
  });
  const auto without = allocations_of([&] {
    for (std::size_t i = 0; i < events; ++i) only_flush();
  });
  const double each = (static_cast<double>(with) - static_cast<double>(without)) / events;
  std::printf("allocations of an isolated event to a pool handler: %.2f\n", each);
  CHECK(each < 10);
}
