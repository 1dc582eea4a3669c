// What a slow subscriber does to the others: with block they wait with it, with any other overflow they notice nothing.
#include <atomic>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

TEST_CASE("beside a blocking subscriber other readers catch up and wait with it", "[isolation]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("shared", {.lane = 8});
  auto slow = topic.subscribe([](const int&) {}, {.capacity = 4});
  story fast;
  auto subscription = topic.subscribe(fast.handler());
  auto in = topic.inbox();
  slow.pause();
  for (int i = 1; i <= 6; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
  }
  CHECK(fast.lines() == lines{"1", "2", "3", "4"});
  CHECK(in.poll([](const int&) {}) == 4);
  slow.resume();
  on.run();
  CHECK(fast.lines() == lines{"1", "2", "3", "4", "5", "6"});
  CHECK(in.poll([](const int&) {}) == 2);
}

TEST_CASE("a blocking subscriber that goes lets the others go on", "[isolation]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("shared", {.lane = 8});
  auto slow = topic.subscribe([](const int&) {}, {.capacity = 1});
  story fast;
  auto subscription = topic.subscribe(fast.handler());
  slow.pause();
  for (int i = 1; i <= 6; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
  }
  CHECK(fast.size() == 1);
  slow.cancel();
  on.run();
  CHECK(fast.size() == 6);
}

TEST_CASE("a slow subscriber with any other overflow affects nobody", "[isolation]") {
  const auto how = GENERATE(overflow::drop_oldest, overflow::latest, overflow::disconnect);
  manual_bus on;
  auto topic = on.bus.topic<int>("shared", {.capacity = 4, .lane = 1});
  auto slow = topic.subscribe([](const int&) {}, {.overflow = how});
  slow.pause();
  int handled = 0;
  auto subscription = topic.subscribe([&](const int&) { ++handled; });
  for (int i = 1; i <= 1000; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
    REQUIRE(handled == i);
  }
}

TEST_CASE("a handler that hangs with drop_oldest keeps neither publishers nor other handlers", "[isolation]") {
  gate held;
  std::atomic<int> handled{0};
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("shared", {.capacity = 8, .lane = 4});
  auto slow = topic.subscribe([&](const int&) { held.pass(); },
                              {.overflow = overflow::drop_oldest, .run_on = run_on::own_thread});
  auto fast = topic.subscribe([&](const int&) { ++handled; });
  const opens_at_the_end opens(held);
  topic.publish(0);
  REQUIRE(held.reached());
  int refused = 0;
  for (int i = 1; i < 10'000 && refused == 0; ++i) refused += topic.publish_for(i, 20s) ? 1 : 0;
  CHECK(refused == 0);
  CHECK(eventually([&] { return handled == 10'000; }));
}

TEST_CASE("a handler that hangs in the pool keeps nobody as long as a worker is free", "[isolation]") {
  gate held;
  std::atomic<int> handled{0};
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("shared", {.capacity = 8, .lane = 4});
  auto slow = topic.subscribe([&](const int&) { held.pass(); }, {.overflow = overflow::latest});
  auto fast = topic.subscribe([&](const int&) { ++handled; });
  const opens_at_the_end opens(held);
  topic.publish(0);
  REQUIRE(held.reached());
  int refused = 0;
  for (int i = 1; i < 10'000 && refused == 0; ++i) refused += topic.publish_for(i, 20s) ? 1 : 0;
  CHECK(refused == 0);
  CHECK(eventually([&] { return handled == 10'000; }));
}

TEST_CASE("a blocked topic keeps no other topic", "[isolation]") {
  manual_bus on;
  auto blocked = on.bus.topic<int>("a.blocked", {.lane = 1});
  auto free = on.bus.topic<int>("a.free");
  auto slow = blocked.subscribe([](const int&) {}, {.capacity = 1});
  slow.pause();
  int handled = 0;
  auto both = on.bus.subscribe<int>("a.*", [&](const int&) { ++handled; });
  while (!blocked.try_publish(0)) on.run();
  const int before = handled;
  for (int i = 1; i <= 100; ++i) {
    free.publish(i);
    on.run();
    CHECK(handled == before + i);
  }
}

TEST_CASE("a payload stays for the reader that needs it and goes when the last has passed", "[isolation]") {
  manual_bus on;
  auto topic = on.bus.topic<std::shared_ptr<int>>("shared");
  std::vector<std::weak_ptr<int>> payloads;
  auto slow = topic.subscribe([](const std::shared_ptr<int>& p) { REQUIRE(p); });
  auto fast = topic.subscribe([](const std::shared_ptr<int>&) {});
  slow.pause();
  for (int i = 0; i < 10; ++i) {
    auto payload = std::make_shared<int>(i);
    payloads.push_back(payload);
    topic.publish(std::move(payload));
    on.run();
  }
  for (const auto& each : payloads) CHECK_FALSE(each.expired());
  slow.resume();
  on.run();
  for (const auto& each : payloads) CHECK(each.expired());
}

TEST_CASE("a handler of the pool does not wait for one inside its topic", "[isolation]") {
  gate held;
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("isolated");
  std::atomic<int> seen{0};
  const auto inside = topic.subscribe([&](const int&) { held.pass(); }, {.run_on = run_on::topic});
  const auto pooled = topic.subscribe([&](const int&) { ++seen; });
  const opens_at_the_end opens(held);
  const std::vector<int> batch(100);
  topic.publish_all(batch);  // through a lane: the topic's actor appends it, and wakes both
  REQUIRE(held.reached());
  CHECK(eventually([&] { return seen == 100; }));
}
