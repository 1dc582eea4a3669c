// What a handler that throws does to its own subscription, to others, and to the time.
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/stubborn.hpp"
#include "tests/catch.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::manual_bus;
using testing::stubborn;

namespace {

using numbers = std::vector<int>;

constexpr std::array everywhere{run_on::pool, run_on::topic, run_on::own_thread};

subscription_snapshot named(const manual_bus& on, const std::string& name) {
  for (auto& each : on.bus.snapshot().subscriptions) {
    if (each.name == name) return each;
  }
  return {};
}

auto into(numbers& seen) {
  return [&seen](const int& i) { seen.push_back(i); };
}

std::size_t occurrences(const std::string& what, const std::string& in) {
  std::size_t count = 0;
  for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a throwing handler loses nothing for others, stays subscribed and is counted", "[failing_handler]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    stubborn fails(on, 2, 1);
    numbers other;
    const auto a = poses.subscribe(fails.handler(), {.run_on = where, .name = "a"});
    const auto b = poses.subscribe(into(other), {.run_on = where, .name = "b"});
    for (int i = 1; i <= 3; ++i) poses.publish(i);
    on.run();
    CHECK(fails.seen() == numbers{1, 3});
    CHECK(other == numbers{1, 2, 3});
    CHECK(a.active());
    CHECK(named(on, "a").delivered == 3);
    CHECK(named(on, "a").failed == 1);
    CHECK(named(on, "b").failed == 0);
  }
}

TEST_CASE("on_error::cancel ends the subscription at the event that failed, and no other", "[failing_handler]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    stubborn fails(on, 2, 1);
    numbers other;
    const auto a = poses.subscribe(fails.handler(), {.run_on = where, .on_error = on_error::cancel()});
    const auto b = poses.subscribe(into(other), {.run_on = where});
    for (int i = 1; i <= 3; ++i) poses.publish(i);
    on.run();
    CHECK(fails.seen() == numbers{1});
    CHECK_FALSE(a.active());
    CHECK(other == numbers{1, 2, 3});
    const auto totals = on.bus.close(1s).totals;
    CHECK(totals.adds_up());
    CHECK(totals.failed == 1);
    CHECK(totals.abandoned_by_subscriptions == 1);
  }
}

TEST_CASE("failures are logged with the topic and the text, once a second however many they are", "[failing_handler]") {
  testing::recording_logger log;
  manual_bus on({.name = "robot-7", .logger = log.logger()});
  auto poses = on.bus.topic<int>("robot.pose");
  const auto a = poses.subscribe([](int) { throw std::runtime_error("a wheel is gone"); }, {.name = "odometry"});
  const auto b = poses.subscribe([](int i) {
    if (i == 1) throw 42;
  });
  for (int i = 1; i <= 100; ++i) poses.publish(i);
  on.run();
  CHECK(occurrences("a wheel is gone", log.text()) == 1);
  CHECK(occurrences("not a std::exception", log.text()) == 1);
  for (const auto* word : {"robot-7", "robot.pose", "odometry"}) CHECK(occurrences(word, log.text()) > 0);
  on.advance(1s);
  poses.publish(101);
  on.run();
  CHECK(occurrences("a wheel is gone", log.text()) == 2);
  CHECK(occurrences("100 failures since", log.text()) == 1);
}

TEST_CASE("a notice that throws is counted and logged, not repeated, and the events go on", "[failing_handler]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses", {.history = 1});
  poses.publish(1);
  numbers seen;
  int told = 0;
  const auto a = poses.subscribe(overloaded{[&](const int& i) { seen.push_back(i); },
                                            [&](const caught_up&) { ++told, throw std::runtime_error("no notices"); }},
                                 {.from = replay::all(), .on_error = on_error::retry(5, 1ms), .name = "a"});
  poses.publish(2);
  on.advance(1s);
  CHECK(seen == numbers{1, 2});
  CHECK(told == 1);
  CHECK(named(on, "a").failed == 1);
  CHECK(log.text().find("no notices") != std::string::npos);
  CHECK(on.bus.close(1s).totals.adds_up());
}
