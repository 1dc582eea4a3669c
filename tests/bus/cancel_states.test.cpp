#include <bus/subscription.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

// Cancelling at each point of a subscription's life, on the manual engine: what waits then is never delivered, and
// holds nobody.

TEST_CASE("events published and not yet handled are not delivered after cancel", "[cancel]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  story told;
  subscription s = topic.subscribe(told.handler(), {.run_on = where});
  for (int i = 0; i < 100; ++i) topic.publish(i);
  s.cancel();
  on.run();
  CHECK(told.lines().empty());
}

TEST_CASE("a cancelled subscription is gone from the snapshot and from its topic", "[cancel]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  subscription s = topic.subscribe([](const int&) {}, {.name = "mine"});
  CHECK(on.bus.snapshot().subscriptions.size() == 1);
  CHECK(on.topic("c")->subscribers == 1);
  s.cancel();
  CHECK(on.bus.snapshot().subscriptions.empty());
  CHECK(on.topic("c")->subscribers == 0);
}

TEST_CASE("cancel while a retry waits ends it, and the retry never comes", "[cancel]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("c");
  int calls = 0;
  auto token = std::make_shared<int>(0);
  subscription s = topic.subscribe(
      [&calls, token](const int&) {
        ++calls;
        throw std::runtime_error("never");
      },
      {.run_on = where, .on_error = on_error::retry(5, 10ms)});
  topic.publish(1);
  on.run();
  REQUIRE(calls == 1);
  s.cancel();
  CHECK(token.use_count() == 1);
  on.advance(1h);
  CHECK(calls == 1);
}

TEST_CASE("cancel before the topic has seen the subscription ends it too", "[cancel]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c", {.capacity = 2, .history = 2, .lane = 4});
  story slow;
  story told;
  subscription blocking = topic.subscribe(slow.handler());
  blocking.pause();
  for (int i = 1; i <= 5; ++i) REQUIRE_FALSE(topic.try_publish(i));
  on.run();
  {  // the topic is full: it cannot place what begins behind the events that wait
    const subscription late = topic.subscribe(told.handler(), {.from = replay::last(1)});
    CHECK(on.topic("c")->subscribers == 1);
  }
  blocking.resume();
  on.run();
  CHECK(slow.lines() == story::lines_type{"1", "2", "3", "4", "5"});
  CHECK(told.lines().empty());
  CHECK(on.topic("c")->subscribers == 1);
}

TEST_CASE("cancelling what stalls a topic lets it go on", "[cancel]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c", {.capacity = 4, .lane = 4});
  story told;
  subscription stuck = topic.subscribe([](const int&) {});
  const subscription other = topic.subscribe(told.handler());
  stuck.pause();
  int accepted = 0;
  while (accepted < 100 && !topic.try_publish(accepted + 1)) {
    ++accepted;
    on.run();
  }
  CHECK(accepted == 8);
  CHECK(told.size() == 4);
  CHECK(topic.try_publish(9) == errc::would_block);
  stuck.cancel();
  on.run();
  CHECK(told.size() == 8);
  CHECK_FALSE(topic.try_publish(9));
}

TEST_CASE("cancel while a dead letter has no place gives the event up", "[cancel]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto dead = on.bus.topic<int>("c.dead", {.capacity = 1, .lane = 1, .spill = 1});
  subscription full = dead.subscribe([](const int&) {});
  full.pause();
  auto topic = on.bus.topic<int>("c");
  subscription s = topic.subscribe([](const int&) { throw std::runtime_error("no"); },
                                   {.on_error = on_error::dead_letter("c.dead")});
  for (int i = 1; i <= 8; ++i) topic.publish(i);
  on.advance(1s);
  CHECK(on.bus.snapshot().subscriptions[0].lag != 0);
  s.cancel();
  full.resume();
  on.advance(1s);
  const auto report = on.bus.close(1s);
  CHECK(report.drained);
  CHECK(report.totals.adds_up());
  CHECK(report.totals.abandoned_by_subscriptions != 0);
}

TEST_CASE("cancel during a replay stops it there", "[cancel]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c", {.history = 10});
  for (int i = 1; i <= 10; ++i) topic.publish(i);
  std::vector<int> seen;
  subscription s;
  s = topic.subscribe(
      [&](const int& i) {
        seen.push_back(i);
        if (i == 4) s.cancel();
      },
      {.from = replay::all()});
  on.run();
  CHECK(seen == std::vector<int>{1, 2, 3, 4});
  CHECK_FALSE(s.active());
}
