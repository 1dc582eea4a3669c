#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::basic_counted;
using testing::census;
using testing::counted;
using testing::eventually;
using testing::manual_bus;
using testing::scaled;

TEMPLATE_TEST_CASE("with history 3, of 10 events published and handled exactly 3 payloads are alive", "[kept_events]",
                   counted, (basic_counted<false, 0>), (basic_counted<true, 4000>)) {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<TestType>("t", {.history = 3});
  const auto subscribed = topic.subscribe([](const TestType&) {});
  for (int i = 0; i < 10; ++i) topic.publish(TestType(in, i));
  REQUIRE(on.bus.flush(1s));
  on.run();
  CHECK(in.living() == 3);
  topic.publish(TestType(in, 10));
  on.run();
  CHECK(in.living() == 3);
}

TEST_CASE("without history no payload is alive once every subscriber has handled it", "[kept_events]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t");
  const auto quick = topic.subscribe([](const counted&) {});
  auto slow = topic.subscribe([](const counted&) {});
  auto polled = topic.inbox({.overflow = overflow::block});
  slow.pause();
  topic.publish_all(std::vector<counted>(10, counted(in, 1)));
  on.run();
  CHECK(in.living() == 10);
  slow.resume();
  on.run();
  CHECK(in.living() == 10);
  polled.poll([](const counted&) {});
  on.run();
  CHECK(in.living() == 0);
}

TEST_CASE("without a subscriber no payload outlives its publish", "[kept_events]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t");
  for (int i = 0; i < 10; ++i) {
    topic.publish(counted(in, i));
    on.run();
    CHECK(in.living() == 0);
  }
}

TEST_CASE("what a subscriber that is gone had not read is destroyed", "[kept_events]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t");
  auto slow = topic.subscribe([](const counted&) {});
  auto polled = topic.inbox();
  slow.pause();
  for (int i = 0; i < 10; ++i) topic.publish(counted(in, i));
  on.run();
  CHECK(in.living() == 10);
  slow.cancel();
  polled.close();
  on.run();
  CHECK(in.living() == 0);
}

TEST_CASE("what a subscriber dropped is destroyed", "[kept_events]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t");
  auto behind = topic.inbox({.overflow = overflow::drop_oldest, .capacity = 4});
  auto newest = topic.inbox({.overflow = overflow::latest});
  for (int i = 0; i < 100; ++i) topic.publish(counted(in, i));
  on.run();
  behind.poll([](const counted&) {});
  newest.poll([](const counted&) {});
  on.run();
  CHECK(in.living() == 0);
}

TEST_CASE("a kept copy pins its chunk and is counted, and stays readable when its topic has gone on", "[kept_events]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t", {.history = 3});
  std::optional<event<counted>> kept;
  const auto subscribed = topic.subscribe([&](const event<counted>& e) {
    if (e.sequence() == 2) kept = e;
  });
  for (int i = 1; i <= 1000; ++i) topic.publish(counted(in, i));
  on.run();
  CHECK(kept->value().value() == 2);
  CHECK(kept->topic() == "t");
  CHECK(in.living() > 3);
  CHECK(in.living() < 100);  // its chunk, not the log
  CHECK(on.topic("t")->pinned_chunks == 1);
  const event<counted> copy = *kept;
  kept.reset();
  CHECK(copy->value() == 2);
  CHECK(on.topic("t")->pinned_chunks == 1);
}

TEST_CASE("when the last copy goes, so do the payloads that its chunk kept", "[kept_events]") {
  census in;
  manual_bus on({.reclaim_after = 1s});
  auto topic = on.bus.topic<counted>("t", {.history = 3});
  std::optional<event<counted>> kept;
  const auto subscribed = topic.subscribe([&](const event<counted>& e) {
    if (e.sequence() == 2) kept = e;
  });
  const int events = GENERATE(4, 10, 1000);  // its chunk is the topic's last, its last but one, long gone from it
  CAPTURE(events);
  for (int i = 1; i <= events; ++i) topic.publish(counted(in, i));
  on.run();
  CHECK(in.living() > 3 - (events == 4));
  on.advance(1h);
  CHECK(in.living() > 3 - (events == 4));
  kept.reset();
  on.advance(3s);
  CHECK(in.living() == 3);
  CHECK(on.topic("t")->pinned_chunks == 0);
}

TEST_CASE("an event that an inbox handed out, or that was moved from a borrowed one, may be kept", "[kept_events]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t");
  auto polled = topic.inbox();
  std::vector<event<counted>> kept;
  for (int i = 0; i < 20; ++i) topic.publish(counted(in, i));
  for (int i = 0; i < 10; ++i) kept.push_back(*polled.next(1s));
  polled.poll([&](const event<counted>& e) { kept.push_back(std::move(e)); });
  polled.close();
  for (int i = 0; i < 1000; ++i) topic.publish(counted(in, -1));
  on.run();
  REQUIRE(kept.size() == 20);
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i]->value() == static_cast<int>(i));
}

TEST_CASE("a kept event outlives its subscription, its topic and its bus", "[kept_events]") {
  census in;
  std::optional<event<counted>> kept;
  {
    manual_bus on;
    auto topic = on.bus.topic<counted>("robot.pose");
    const auto subscribed = topic.subscribe([&](const event<counted>& e) { kept = e; });
    topic.publish(counted(in, 42), {{"source", "odometry"}});
    on.run();
  }
  REQUIRE(kept.has_value());
  CHECK(kept->value().value() == 42);
  CHECK(kept->topic() == "robot.pose");
  CHECK(kept->sequence() == 1);
  CHECK(kept->headers().get("source") == "odometry");
  CHECK(in.living() == 1);
  kept.reset();
  CHECK(in.living() == 0);
}

TEST_CASE("headers are destroyed with their event, also where the payload needs no destruction", "[kept_events]") {
  // No counting here: the address sanitizer's check for leaks sees what is left.
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 4, .history = 2, .lane = 2, .spill = 4});
  auto stopped = topic.subscribe([](int) {});
  stopped.pause();
  const headers with{{"a key too long for the small string", "a value too long for the small string"}};
  auto out = topic.publisher();
  std::vector<std::future<void>> futures;
  for (int i = 0; i < 12; ++i) futures.push_back(out.publish_async(i, with));
  CHECK(out.try_publish(1, with) == errc::would_block);
  on.bus.abort();
}

TEST_CASE("copies of an event are read and dropped on other threads while its topic goes on", "[kept_events]") {
  census in;
  const int events = static_cast<int>(scaled(20'000));
  {
    bus on;
    auto topic = on.topic<counted>("t", {.capacity = 64});
    std::atomic<bool> all_right{true};
    std::atomic<int> dropped{0};
    auto copies = on.topic<event<counted>>("copies", {.capacity = 64});
    const auto keeping = topic.subscribe([&](const event<counted>& e) {
      if (e.sequence() % 16 == 0) copies.publish(e);
    });
    const auto dropping = copies.subscribe([&](const event<counted>& e) {
      if (e->value() % 16 != 0) all_right = false;
      ++dropped;
    });
    auto out = topic.publisher();
    for (int i = 1; i <= events; ++i) out.publish(counted(in, i));
    REQUIRE(on.flush(60s));
    REQUIRE(on.flush(60s));  // what the handlers of the first published
    CHECK(all_right);
    CHECK(dropped == events / 16);
    CHECK(eventually([&] { return in.living() < 2000; }));
  }
  CHECK(in.living() == 0);
}
