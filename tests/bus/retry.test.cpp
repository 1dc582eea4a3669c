// Retries: when they come, what they hold, and what follows the last one.
#include <array>
#include <chrono>
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
using times = std::vector<std::chrono::nanoseconds>;

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

}  // namespace

TEST_CASE("a retry comes when its delay has passed, to the nanosecond, and keeps the order",
          "[failing_handler][retry]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    stubborn fails(on, 2, 3);
    const auto a =
        poses.subscribe(fails.handler(), {.run_on = where, .on_error = on_error::retry(3, 10ms), .name = "a"});
    for (int i = 1; i <= 3; ++i) poses.publish(i);
    on.run();
    CHECK(fails.calls() == times{0ns, 0ns});
    on.advance(10ms - 1ns);
    CHECK(fails.calls().size() == 2);
    on.advance(1ns);
    CHECK(fails.calls().size() == 3);
    on.advance(1h);
    CHECK(fails.calls() == times{0ns, 0ns, 10ms, 30ms, 70ms, 70ms});
    CHECK(fails.seen() == numbers{1, 2, 3});
    CHECK(named(on, "a").retries == 3);
    CHECK(named(on, "a").failed == 0);
  }
}

TEST_CASE("each event has retries of its own", "[failing_handler][retry]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    std::vector<int> attempts(11);
    const auto a = poses.subscribe(
        [&](const int& i) {
          if (++attempts[static_cast<std::size_t>(i)] <= 2) throw std::runtime_error("again");
        },
        {.run_on = where, .on_error = on_error::retry(2, 1ms), .name = "a"});
    for (int i = 1; i <= 10; ++i) poses.publish(i);
    on.advance(1s);
    for (int i = 1; i <= 10; ++i) CHECK(attempts[static_cast<std::size_t>(i)] == 3);
    CHECK(named(on, "a").retries == 20);
    CHECK(named(on, "a").failed == 0);
  }
}

TEST_CASE("a back-off suspends its subscription and never the topic", "[failing_handler][retry]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    stubborn fails(on, 1, 1);
    numbers other;
    const auto a = poses.subscribe(fails.handler(), {.run_on = where, .on_error = on_error::retry(1, 1min)});
    const auto b = poses.subscribe(into(other), {.run_on = where});
    for (int i = 1; i <= 100; ++i) {
      poses.publish(i);
      on.run();
    }
    CHECK(other.size() == 100);
    CHECK(fails.calls().size() == 1);
    on.advance(1min);
    CHECK(fails.seen() == other);
  }
}

TEST_CASE("a subscription on a pattern holds all its topics during a retry, and loses none of their events",
          "[failing_handler][retry]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    stubborn fails(on, 1, 2);
    const auto a =
        on.bus.subscribe<int>("robot.*", fails.handler(), {.run_on = where, .on_error = on_error::retry(2, 10ms)});
    auto pose = on.bus.topic<int>("robot.pose");
    auto arm = on.bus.topic<int>("robot.arm");
    pose.publish(1);
    on.run();
    arm.publish(2);
    pose.publish(3);
    on.advance(30ms - 1ns);
    CHECK(fails.seen().empty());
    on.advance(1ns);
    CHECK(fails.seen().size() == 3);
    CHECK(fails.seen().front() == 1);
  }
}

TEST_CASE("after its last retry an event is ignored, or ends its subscription", "[failing_handler][retry]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    stubborn ignores(on, 2, 9), cancels(on, 2, 9);
    const auto a =
        poses.subscribe(ignores.handler(), {.run_on = where, .on_error = on_error::retry(2, 1ms).then_ignore()});
    const auto b =
        poses.subscribe(cancels.handler(), {.run_on = where, .on_error = on_error::retry(2, 1ms).then_cancel()});
    for (int i = 1; i <= 3; ++i) poses.publish(i);
    on.advance(1s);
    CHECK(ignores.seen() == numbers{1, 3});
    CHECK(ignores.calls().size() == 5);
    CHECK(a.active());
    CHECK(cancels.seen() == numbers{1});
    CHECK(cancels.calls().size() == 4);
    CHECK_FALSE(b.active());
  }
}

TEST_CASE("a retry holds at its capacity as any slow subscription does, its overflow decides",
          "[failing_handler][retry]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses");
  stubborn fails(on, 1, 1);
  numbers lost;
  const auto a =
      poses.subscribe(overloaded{fails.handler(),
                                 [&](const lagged& l) {
                                   lost = {static_cast<int>(l.first), static_cast<int>(l.last)};
                                 }},
                      {.overflow = overflow::drop_oldest, .capacity = 4, .on_error = on_error::retry(1, 1s)});
  for (int i = 1; i <= 10; ++i) {
    poses.publish(i);
    on.run();
  }
  on.advance(1s);
  CHECK(lost == numbers{1, 6});
  CHECK(fails.seen() == numbers{7, 8, 9, 10});
}

TEST_CASE("a retry during a replay repeats the same event, and live ones wait behind it", "[failing_handler][retry]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses", {.history = 10});
  for (int i = 1; i <= 10; ++i) poses.publish(i);
  stubborn fails(on, 5, 2);
  const auto a = poses.subscribe(fails.handler(), {.from = replay::all(), .on_error = on_error::retry(2, 1s)});
  poses.publish(11);
  on.run();
  CHECK(fails.seen() == numbers{1, 2, 3, 4});
  on.advance(3s);
  CHECK(fails.seen() == numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

TEST_CASE("a subscription that waits for a retry can be cancelled, paused and resumed", "[failing_handler][retry]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    manual_bus on({.logger = log.logger()});
    auto poses = on.bus.topic<int>("poses");
    stubborn fails(on, 1, 1), cancelled(on, 1, 1);
    auto a = poses.subscribe(fails.handler(), {.run_on = where, .on_error = on_error::retry(1, 1s)});
    auto b = poses.subscribe(cancelled.handler(), {.run_on = where, .on_error = on_error::retry(1, 1s)});
    poses.publish(1);
    on.run();
    b.cancel();
    a.pause();
    on.advance(2s);
    CHECK(fails.calls().size() == 1);
    CHECK(cancelled.calls().size() == 1);
    a.resume();
    on.run();
    CHECK(fails.seen() == numbers{1});
  }
}

TEST_CASE("flush waits for retries", "[failing_handler][retry]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses");
  stubborn fails(on, 1, 2);
  const auto a = poses.subscribe(fails.handler(), {.on_error = on_error::retry(2, 1s)});
  poses.publish(1);
  CHECK_FALSE(on.bus.flush(2s));
  CHECK(on.bus.flush(2s));
  CHECK(fails.seen() == numbers{1});
}
