#include <atomic>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

TEST_CASE("a pattern covers topics of its type, present and to come", "[patterns]") {
  manual_bus on;
  auto present = on.bus.topic<int>("robot.pose");
  auto elsewhere = on.bus.topic<int>("car.pose");
  auto deeper = on.bus.topic<int>("robot.arm.pose");
  story star;
  story all;
  auto a = on.bus.subscribe<int>("robot.*", star.handler_with_topics());
  auto b = on.bus.subscribe<int>("robot.>", all.handler_with_topics());
  auto to_come = on.bus.topic<int>("robot.speed");
  auto deeper_to_come = on.bus.topic<int>("robot.arm.left.speed");
  int value = 0;
  for (auto* each : {&present, &elsewhere, &deeper, &to_come, &deeper_to_come}) {
    each->publish(++value);
    on.run();
  }
  CHECK(star.lines() == lines{"robot.pose 1", "robot.speed 4"});
  CHECK(all.lines() == lines{"robot.pose 1", "robot.arm.pose 3", "robot.speed 4", "robot.arm.left.speed 5"});
}

TEST_CASE("a pattern is attached before the call that creates a topic returns", "[patterns]") {
  const int rounds = static_cast<int>(scaled(300));
  std::atomic<int> handled{0};
  actorbus::bus bus;
  auto subscription = bus.subscribe<int>("made.*", [&](const int&) { ++handled; });
  auto in = bus.inbox<int>("made.*");
  auto make = [&](const std::string& prefix) {
    for (int i = 0; i < rounds; ++i) bus.topic<int>("made." + prefix + std::to_string(i)).publish(i);
  };
  std::thread other([&] { make("a"); });
  make("b");
  other.join();
  REQUIRE(bus.flush(20s));
  CHECK(handled == 2 * rounds);
  CHECK(in.poll([](const int&) {}) == static_cast<std::size_t>(2 * rounds));
}

TEST_CASE("a pattern skips topics of other types and counts them", "[patterns]") {
  manual_bus on;
  auto before = on.bus.topic<std::string>("mixed.text");
  story told;
  auto subscription = on.bus.subscribe<int>("mixed.*", told.handler());
  auto in = on.bus.inbox<int>("mixed.*");
  auto after = on.bus.topic<double>("mixed.real");
  auto mine = on.bus.topic<int>("mixed.whole");
  before.publish("x");
  after.publish(1.5);
  mine.publish(7);
  on.run();
  CHECK(told.lines() == lines{"7"});
  CHECK(in.poll([](const int&) {}) == 1);
  for (const auto& each : on.bus.snapshot().subscriptions) CHECK(each.skipped_topics == 2);
}

TEST_CASE("two overlapping subscriptions are two subscriptions, each delivered once", "[patterns]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("a.b");
  story told[4];
  auto a = on.bus.subscribe<int>("a.*", told[0].handler());
  auto b = on.bus.subscribe<int>("a.>", told[1].handler());
  auto c = on.bus.subscribe<int>("a.*", told[2].handler());
  auto d = topic.subscribe(told[3].handler());
  for (int i = 1; i <= 3; ++i) topic.publish(i);
  on.run();
  for (const auto& each : told) CHECK(each.lines() == lines{"1", "2", "3"});
  a.cancel();
  topic.publish(4);
  on.run();
  CHECK(told[0].size() == 3);
  CHECK(told[2].size() == 4);
}

TEST_CASE("capacity counts per topic on a pattern", "[patterns]") {
  manual_bus on;
  auto a = on.bus.topic<int>("cap.a");
  auto b = on.bus.topic<int>("cap.b");
  auto in = on.bus.inbox<int>("cap.*", {.capacity = 3});
  for (int i = 1; i <= 5; ++i) {
    a.publish(i);
    on.run();
  }
  for (int i = 1; i <= 3; ++i) {
    b.publish(i);
    on.run();
  }
  story told;
  CHECK(in.poll(told.handler_with_topics()) == 6);
  CHECK(told.lines() ==
        lines{"cap.a lagged 2: 1 to 2", "cap.a 3", "cap.a 4", "cap.a 5", "cap.b 1", "cap.b 2", "cap.b 3"});
  CHECK(in.dropped() == 2);
}

TEST_CASE("latest keeps one event of each topic on a pattern", "[patterns]") {
  manual_bus on;
  auto a = on.bus.topic<int>("new.a");
  auto b = on.bus.topic<int>("new.b");
  auto in = on.bus.inbox<int>("new.*", {.overflow = overflow::latest});
  for (int i = 1; i <= 5; ++i) {
    a.publish(i);
    b.publish(10 * i);
    on.run();
  }
  story told;
  CHECK(in.poll(told.handler_with_topics()) == 2);
  CHECK(told.lines() == lines{"new.a 5", "new.b 50"});
  CHECK(in.dropped() == 8);
}

TEST_CASE("publishing to a pattern is an error", "[patterns]") {
  manual_bus on;
  CHECK(error_of([&] { on.bus.topic<int>("a.*"); }) == errc::invalid_topic);
  CHECK(error_of([&] { on.bus.topic<int>("a.>"); }) == errc::invalid_topic);
  CHECK(error_of([&] { on.bus.topic<int>("*"); }) == errc::invalid_topic);
  CHECK(on.bus.snapshot().topics.empty());
}

TEST_CASE("a wildcard elsewhere is an invalid pattern, before anything happens", "[patterns]") {
  manual_bus on;
  const auto nothing = [](const int&) {};
  const auto require_refused = [&](const char* pattern, errc why) {
    CAPTURE(pattern);
    CHECK(error_of([&] { auto s = on.bus.subscribe<int>(pattern, nothing); }) == why);
    CHECK(error_of([&] { auto in = on.bus.inbox<int>(pattern); }) == why);
    CHECK(error_of([&] { auto s = on.bus.observe(pattern, [](const metadata&, std::type_index) {}); }) == why);
  };
  for (const char* pattern : {"a*", "*a", "a.>.b", ">.a", "a.b>", "a.**"})
    require_refused(pattern, errc::invalid_pattern);
  for (const char* name : {"a..b", "", ".", "a b"}) require_refused(name, errc::invalid_topic);
  CHECK(on.bus.snapshot().subscriptions.empty());
  CHECK(on.bus.snapshot().topics.empty());
}

TEST_CASE("replay::after on a pattern is an invalid argument", "[patterns]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("a.b", {.history = 10});
  topic.publish(1);
  on.run();
  CHECK(error_of([&] { auto s = on.bus.subscribe<int>("a.*", [](const int&) {}, {.from = replay::after(1)}); }) ==
        errc::invalid_argument);
  CHECK(error_of([&] { auto in = on.bus.inbox<int>("a.>", {.from = replay::after(0)}); }) == errc::invalid_argument);
  CHECK(on.bus.snapshot().subscriptions.empty());
}

TEST_CASE("a pattern goes on when one of its topics is finished", "[patterns]") {
  manual_bus on;
  auto a = on.bus.topic<int>("go.a");
  auto b = on.bus.topic<int>("go.b");
  story told;
  auto subscription = on.bus.subscribe<int>("go.*", told.handler_with_topics());
  a.publish(1);
  a.finish();
  on.run();
  b.publish(2);
  on.run();
  CHECK(told.lines() == lines{"go.a 1", "go.a finished: finished", "go.b 2"});
  CHECK(subscription.active());
}

TEST_CASE("a subscription that goes while topics are made stalls none of them", "[patterns]") {
  const int rounds = static_cast<int>(scaled(400));
  actorbus::bus bus;
  std::atomic<bool> over{false};
  std::thread comes_and_goes([&] {
    while (!over) {
      auto s = bus.subscribe<int>("stall.*", [](const int&) {}, {.capacity = 1});
      auto in = bus.inbox<int>("stall.*", {.overflow = overflow::block, .capacity = 4});
    }
  });
  std::vector<topic<int>> topics;
  for (int i = 0; i < rounds; ++i) topics.push_back(bus.topic<int>("stall." + std::to_string(i), {.lane = 1}));
  over = true;
  comes_and_goes.join();
  int refused = 0;
  for (auto& each : topics) {
    for (int i = 0; i < 8 && refused == 0; ++i) refused += each.publish_for(i, 20s) ? 1 : 0;
  }
  CHECK(refused == 0);
}
