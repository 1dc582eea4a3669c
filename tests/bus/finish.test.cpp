#include <bus/topic.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

TEST_CASE(
    "finish follows every publish that returned before it, and handlers that take it are told after the last event",
    "[finish]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("f");
  story told;
  const auto s = topic.subscribe(told.handler(), {.run_on = where});
  auto out = topic.publisher();
  out.publish(1);
  topic.publish(2);
  auto async = out.publish_async(3);
  topic.finish();
  on.run();
  async.get();
  CHECK(told.lines() == lines{"1", "2", "3", "finished: finished"});
  CHECK_FALSE(s.active());
}

TEST_CASE("finishing twice is finishing once", "[finish]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f");
  story told;
  const auto s = topic.subscribe(told.handler());
  topic.finish();
  topic.finish();
  on.run();
  topic.finish();
  on.run();
  CHECK(told.lines() == lines{"finished: finished"});
}

TEST_CASE("a full topic finishes once its events found room", "[finish]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f", {.capacity = 2, .lane = 4});
  story told;
  auto s = topic.subscribe(told.handler());
  s.pause();
  for (int i = 1; i <= 5; ++i) REQUIRE_FALSE(topic.try_publish(i));
  topic.finish();
  on.run();
  CHECK(topic.try_publish(6) == errc::finished);
  CHECK(told.lines().empty());
  s.resume();
  on.run();
  CHECK(told.lines() == lines{"1", "2", "3", "4", "5", "finished: finished"});
}

TEST_CASE("finish wakes publishers that wait for room with errc::finished", "[finish]") {
  actorbus::bus bus;
  auto topic = bus.topic<int>("f", {.capacity = 2, .lane = 2});
  auto s = topic.subscribe([](const int&) {});
  s.pause();
  std::atomic<bool> full{false};
  std::error_code why;
  std::thread publishing([&] {
    auto out = topic.publisher();
    while (!out.try_publish(1)) {
    }
    full = true;
    why = out.publish_for(1, 20s);
    while (!why) why = out.publish_for(1, 20s);  // there was room after all
  });
  REQUIRE(eventually([&] { return full.load(); }));
  topic.finish();
  publishing.join();
  CHECK(why == errc::finished);
}

TEST_CASE("every publish that returned without an error before or during finish is delivered before finished",
          "[finish]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  actorbus::bus bus(bus_options{.workers = 2});
  for (std::size_t round = scaled(100); round != 0; --round) {
    auto topic = bus.topic<int>("f." + std::to_string(round), {.capacity = 16, .lane = 8});
    std::atomic<std::size_t> delivered{0};
    std::atomic<std::size_t> when_finished{~std::size_t{0}};
    const auto s = topic.subscribe(
        overloaded{[&](const int&) { ++delivered; }, [&](const finished&) { when_finished = delivered.load(); }},
        {.run_on = where});
    std::atomic<std::size_t> accepted{0};
    std::vector<std::error_code> ends(3);
    std::vector<std::thread> publishers;
    for (std::size_t p = 0; p < ends.size(); ++p) {
      publishers.emplace_back([&, p] {
        auto out = topic.publisher();
        for (int i = 0; !ends[p]; ++i) {
          ends[p] = p == 0 ? topic.publish_for(i, 20s) : out.publish_for(i, 20s);
          if (!ends[p]) ++accepted;
        }
      });
    }
    REQUIRE(eventually([&] { return delivered > 20; }));
    topic.finish();
    for (auto& each : publishers) each.join();
    for (const auto& each : ends) REQUIRE(each == errc::finished);  // and none waited in vain
    REQUIRE(eventually([&] { return when_finished != ~std::size_t{0}; }));
    REQUIRE(when_finished == accepted);
    REQUIRE(delivered == accepted);
  }
}

TEST_CASE("inboxes end with their topic, everything read", "[finish]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f");
  auto in = topic.inbox();
  topic.publish(1);
  topic.finish();
  on.run();
  CHECK_FALSE(in.closed());
  auto e = in.next();
  REQUIRE(e);
  CHECK(**e == 1);
  CHECK_FALSE(in.next());
  CHECK(in.closed());
}

TEST_CASE("whoever subscribes to a finished topic gets its history and is told at once", "[finish]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f", {.history = 2});
  for (int i = 1; i <= 3; ++i) topic.publish(i);
  topic.finish();
  on.run();
  story live;
  story all;
  const auto a = topic.subscribe(live.handler());
  const auto b = topic.subscribe(all.handler(), {.from = replay::all()});
  auto in = topic.inbox({.from = replay::last(1)});
  on.run();
  CHECK(live.lines() == lines{"finished: finished"});
  CHECK(all.lines() == lines{"2", "3", "caught up at 3", "finished: finished"});
  std::vector<int> read;
  for (const auto& e : in) read.push_back(*e);
  CHECK(read == std::vector<int>{3});
}

TEST_CASE("a subscription on a pattern is told of each finished topic and reads the others on", "[finish]") {
  manual_bus on;
  auto a = on.bus.topic<int>("f.a");
  auto b = on.bus.topic<int>("f.b");
  story told;
  const auto s = on.bus.subscribe<int>("f.*", told.handler_with_topics());
  auto in = on.bus.inbox<int>("f.*");
  a.finish();
  on.run();
  b.publish(1);
  on.run();
  CHECK(told.lines() == lines{"f.a finished: finished", "f.b 1"});
  REQUIRE(in.next(0s));
  CHECK_FALSE(in.closed());
}

TEST_CASE("a topic that was finished is told finished once, also when the bus closes", "[finish]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f");
  story told;
  auto s = topic.subscribe(told.handler());
  s.pause();
  topic.publish(1);
  topic.finish();
  on.run();
  s.resume();
  const auto report = on.bus.close(1s);
  CHECK(report.drained);
  CHECK(told.lines() == lines{"1", "finished: finished"});
}
