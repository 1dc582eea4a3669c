#include <bus/dead_letter.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

namespace {

using numbers = std::vector<int>;

auto into(numbers& seen) {
  return [&seen](const int& i) { seen.push_back(i); };
}

struct failing_bus : manual_bus {
  explicit failing_bus(std::shared_ptr<testing::recording_logger> to = std::make_shared<testing::recording_logger>())
      : manual_bus({.logger = to->logger()}), log(std::move(to)) {}
  std::shared_ptr<testing::recording_logger> log;
};

const auto always = [](const auto&) { throw std::runtime_error("always"); };

}  // namespace

TEST_CASE("a dead letter keeps its type, its value and its headers", "[dead_letter]") {
  struct pose {
    double x, y;
    std::string frame;
  };
  failing_bus on;
  auto poses = on.bus.topic<pose>("robot.pose");
  auto dead = on.bus.topic<pose>("robot.dead").inbox();
  const auto subscribed = poses.subscribe([](const pose&) { throw std::runtime_error("too fast"); },
                                          {.on_error = on_error::dead_letter("robot.dead")});
  poses.publisher({.origin = 9}).publish_from({1, 2, "map"}, 77, {{"source", "odometry"}});
  on.run();
  const auto letter = dead.next(0ns);
  REQUIRE(letter.has_value());
  CHECK((*letter)->x == 1);
  CHECK((*letter)->frame == "map");
  CHECK(letter->headers().get("source") == "odometry");
  CHECK(letter->origin() == 9);
  CHECK(letter->origin_sequence() == 77);
}

TEST_CASE("a dead letter carries origin topic, sequence, attempts and error in headers", "[dead_letter]") {
  failing_bus on;
  int calls = 0;
  const auto subscribed = on.bus.subscribe<int>("robot.*",
                                                [&](int) {
                                                  ++calls;
                                                  throw std::runtime_error("failure " + std::to_string(calls));
                                                },
                                                {.on_error = on_error::retry(2, 10ms).then_dead_letter("dead")});
  auto dead = on.bus.topic<int>("dead").inbox();
  auto arm = on.bus.topic<int>("robot.arm");
  for (int i = 1; i <= 2; ++i) arm.publish(i);
  on.advance(30ms - 1ns);
  CHECK_FALSE(dead.next(0ns).has_value());
  on.advance(1ns);
  const auto first = dead.next(0ns);
  REQUIRE(first.has_value());
  CHECK(**first == 1);
  CHECK(first->headers() == headers{{dead_letter::topic, "robot.arm"},
                                    {dead_letter::sequence, "1"},
                                    {dead_letter::attempts, "3"},
                                    {dead_letter::error, "failure 3"}});
  on.advance(30ms);
  const auto second = dead.next(0ns);
  REQUIRE(second.has_value());
  CHECK(second->headers().get(dead_letter::sequence) == "2");
  CHECK(second->headers().get(dead_letter::error) == "failure 6");
}

TEST_CASE("a dead letter without retries follows at once, and the next event with it", "[dead_letter]") {
  for (const auto where : {run_on::pool, run_on::topic, run_on::own_thread}) {
    failing_bus on;
    auto jobs = on.bus.topic<int>("jobs");
    numbers letters, seen;
    auto dead = on.bus.topic<int>("jobs.dead").inbox();
    const auto subscribed = jobs.subscribe(
        [&](int i) {
          if (i % 2 == 0) throw std::runtime_error("even");
          seen.push_back(i);
        },
        {.run_on = where, .on_error = on_error::dead_letter("jobs.dead")});
    for (int i = 1; i <= 5; ++i) jobs.publish(i);
    on.run();
    CHECK(seen == numbers{1, 3, 5});
    dead.poll(into(letters));
    CHECK(letters == numbers{2, 4});
    CHECK(subscribed.active());
  }
}

TEST_CASE("a dead-letter topic carries the type of its events: another is errc::type_mismatch", "[dead_letter]") {
  failing_bus on;
  const auto strings = on.bus.topic<std::string>("dead");
  const subscribe_options buries{.on_error = on_error::dead_letter("dead")};
  CHECK(error_of([&] { static_cast<void>(on.bus.subscribe<int>("jobs", always, buries)); }) == errc::type_mismatch);
}

TEST_CASE("move-only payloads become dead letters in place", "[dead_letter]") {
  failing_bus on;
  auto jobs = on.bus.topic<std::unique_ptr<int>>("jobs");
  std::vector<event<std::unique_ptr<int>>> letters;
  const int* where = nullptr;
  {
    const auto reads = on.bus.subscribe<std::unique_ptr<int>>(
        "dead", [&](const event<std::unique_ptr<int>>& e) { letters.push_back(e); });
    const auto fails = jobs.subscribe(
        [&](const std::unique_ptr<int>& p) {
          where = p.get();
          throw std::runtime_error("no");
        },
        {.on_error = on_error::dead_letter("dead")});
    jobs.publish(std::make_unique<int>(42));
    on.run();
  }
  on.bus.topic<std::unique_ptr<int>>("jobs").publish(std::make_unique<int>(43));
  on.advance(1h);
  REQUIRE(letters.size() == 1);
  CHECK(letters.front()->get() == where);
  CHECK(**letters.front() == 42);
}

TEST_CASE("the payload of a dead letter is destroyed once nobody needs it any more", "[dead_letter]") {
  testing::census living;
  {
    failing_bus on;
    auto jobs = on.bus.topic<testing::counted>("jobs");
    auto dead = on.bus.topic<testing::counted>("dead", {.history = 10});
    const auto fails = jobs.subscribe(always, {.on_error = on_error::dead_letter("dead")});
    for (int i = 0; i < 25; ++i) jobs.publish(testing::counted(living, i));
    on.run();
    CHECK(living.living() == 10);
  }
  CHECK(living.living() == 0);
}

TEST_CASE("a subscription whose dead letter cannot be placed holds rather than loses it", "[dead_letter]") {
  for (const auto where : {run_on::pool, run_on::topic, run_on::own_thread}) {
    failing_bus on;
    auto jobs = on.bus.topic<int>("jobs");
    auto dead = on.bus.topic<int>("dead", {.capacity = 1, .lane = 1, .spill = 0});
    numbers letters, other;
    auto reads = dead.subscribe(into(letters));
    reads.pause();
    int calls = 0;
    const auto fails = jobs.subscribe(
        [&](int) {
          ++calls;
          throw std::runtime_error("always");
        },
        {.run_on = where, .on_error = on_error::dead_letter("dead"), .name = "fails"});
    const auto b = jobs.subscribe(into(other));
    for (int i = 1; i <= 10; ++i) jobs.publish(i);
    on.advance(1min);
    CHECK(calls < 5);
    CHECK(other.size() == 10);
    reads.resume();
    on.advance(1min);
    CHECK(letters == numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK(calls == 10);
    const auto totals = on.bus.close(1s).totals;
    CHECK(totals.adds_up());
    CHECK(totals.failed == 10);
  }
}

TEST_CASE("a group member whose dead letter cannot be placed holds it, and others go on", "[dead_letter]") {
  failing_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  auto dead = on.bus.topic<int>("dead", {.capacity = 1, .lane = 1, .spill = 0});
  numbers letters, seen;
  auto reads = dead.subscribe(into(letters));
  reads.pause();
  const subscribe_options options{.group = "workers", .on_error = on_error::dead_letter("dead")};
  auto fails = jobs.subscribe(always, options);
  for (int i = 1; i <= 10; ++i) jobs.publish(i);
  on.advance(1s);
  const auto works = jobs.subscribe(into(seen), options);
  on.advance(1s);
  CHECK(seen.size() + letters.size() < 10);  // one is held
  CHECK(seen.back() == 10);
  SECTION("until there is a place") {
    reads.resume();
    on.advance(1s);
  }
  SECTION("until it leaves and hands it on") {
    fails.cancel();
    reads.resume();
    on.advance(1s);
  }
  CHECK(seen.size() + letters.size() == 10);
}

TEST_CASE("a subscription that holds a dead letter can be cancelled, and the event is abandoned", "[dead_letter]") {
  failing_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  auto dead = on.bus.topic<int>("dead");
  dead.finish();
  auto fails = jobs.subscribe(always, {.on_error = on_error::dead_letter("dead")});
  for (int i = 1; i <= 3; ++i) jobs.publish(i);
  on.advance(1s);
  CHECK(fails.active());
  fails.cancel();
  const auto totals = on.bus.close(1s).totals;
  CHECK(totals.adds_up());
  CHECK(totals.delivered == 0);
  CHECK(totals.abandoned_by_subscriptions == 3);
}
