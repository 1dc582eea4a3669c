#include <bus/redrive.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

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

/// A bus with a topic whose handler fails until it is repaired.
struct workshop : manual_bus {
  explicit workshop(const testing::recording_logger& log) : manual_bus({.logger = log.logger()}) {}

  subscription subscribe(const std::string& topic) {
    return bus.subscribe<int>(topic,
                              [this](const event<int>& e) {
                                if (broken) throw std::runtime_error("broken");
                                seen.push_back(*e);
                                last_headers = e.headers();
                              },
                              {.on_error = on_error::dead_letter("dead")});
  }

  bool broken = true;
  numbers seen;
  headers last_headers;
};

}  // namespace

TEST_CASE("redrive puts dead letters back on the topics they came from, once", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  const auto a = on.subscribe("jobs.a");
  const auto b = on.subscribe("jobs.b");
  for (int i = 1; i <= 5; ++i) {
    on.bus.topic<int>("jobs.a").publish(i);
    on.run();
    on.bus.topic<int>("jobs.b").publish(10 * i);
    on.run();
  }
  on.broken = false;
  CHECK(on.bus.redrive<int>("dead") == 10);
  on.run();
  numbers from_a, from_b;
  for (const int each : on.seen) (each < 10 ? from_a : from_b).push_back(each);
  CHECK(from_a == numbers{1, 2, 3, 4, 5});
  CHECK(from_b == numbers{10, 20, 30, 40, 50});
  CHECK(on.bus.redrive<int>("dead") == 0);
  on.run();
  CHECK(on.seen.size() == 10);
}

TEST_CASE("what is redriven has its own headers back, and none of the dead letter's", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  const auto a = on.subscribe("jobs");
  on.bus.topic<int>("jobs").publish(1, {{"source", "odometry"}});
  on.run();
  on.broken = false;
  CHECK(on.bus.redrive<int>("dead") == 1);
  on.run();
  CHECK(on.last_headers == headers{{"source", "odometry"}});
}

TEST_CASE("what fails again after a redrive is a dead letter again, and can be redriven again", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  const auto a = on.subscribe("jobs");
  for (int i = 1; i <= 3; ++i) on.bus.topic<int>("jobs").publish(i);
  on.run();
  for (int round = 0; round < 3; ++round) {
    CHECK(on.bus.redrive<int>("dead") == 3);
    on.run();
  }
  on.broken = false;
  CHECK(on.bus.redrive<int>("dead") == 3);
  on.run();
  CHECK(on.seen == numbers{1, 2, 3});
}

TEST_CASE("redrive leaves alone what others published on the dead-letter topic", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  const auto a = on.subscribe("jobs");
  on.bus.topic<int>("dead").publish(100);
  on.bus.topic<int>("jobs").publish(1);
  on.run();
  on.broken = false;
  CHECK(on.bus.redrive<int>("dead") == 1);
  on.run();
  CHECK(on.seen == numbers{1});
  CHECK(on.bus.redrive<int>("never.used") == 0);
}

TEST_CASE("a dead-letter topic that nobody configured keeps letters for redrive, its own options decide otherwise",
          "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  SECTION("by default the newest 1024") {
    const auto a = on.subscribe("jobs");
    for (int i = 1; i <= 1100; ++i) {
      on.bus.topic<int>("jobs").publish(i);
      on.run();
    }
    on.broken = false;
    CHECK(on.bus.redrive<int>("dead") == 1024);
    on.run();
    CHECK(on.seen.front() == 77);
    CHECK(on.seen.back() == 1100);
  }
  SECTION("by its options the newest 5") {
    const auto dead = on.bus.topic<int>("dead", {.history = 5});
    const auto a = on.subscribe("jobs");
    for (int i = 1; i <= 20; ++i) on.bus.topic<int>("jobs").publish(i);
    on.run();
    on.broken = false;
    CHECK(on.bus.redrive<int>("dead") == 5);
    on.run();
    CHECK(on.seen == numbers{16, 17, 18, 19, 20});
  }
}

TEST_CASE("redrive of move-only payloads refers to them where they are", "[redrive]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  bool broken = true;
  numbers seen;
  auto jobs = on.bus.topic<std::unique_ptr<int>>("jobs");
  const auto a = jobs.subscribe(
      [&](const std::unique_ptr<int>& p) {
        if (broken) throw std::runtime_error("broken");
        seen.push_back(*p);
      },
      {.on_error = on_error::dead_letter("dead")});
  for (int i = 1; i <= 3; ++i) jobs.publish(std::make_unique<int>(i));
  on.run();
  CHECK(on.bus.redrive<std::unique_ptr<int>>("dead") == 3);
  on.run();  // fails again: a reference to a reference
  broken = false;
  CHECK(on.bus.redrive<std::unique_ptr<int>>("dead") == 3);
  on.run();
  CHECK(seen == numbers{1, 2, 3});
}

TEST_CASE("redrive stops at the first letter refused, and a later one goes on there", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  auto picky = on.bus.topic<int>("jobs.picky");
  auto jobs = on.bus.topic<int>("jobs");
  const auto a = on.subscribe("jobs");
  const auto b = on.subscribe("jobs.picky");
  jobs.publish(1);
  on.run();
  picky.publish(2);
  on.run();
  jobs.publish(3);
  on.run();
  on.broken = false;
  picky.finish();
  on.run();
  CHECK(error_of([&] { static_cast<void>(on.bus.redrive<int>("dead")); }) == errc::finished);
  on.run();
  CHECK(on.seen == numbers{1});
  CHECK(error_of([&] { static_cast<void>(on.bus.redrive<int>("dead")); }) == errc::finished);
  on.run();
  CHECK(on.seen == numbers{1});  // not a second time
}

TEST_CASE("redrive waits while the topic is full, and in a handler it is refused and goes on later", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  auto jobs = on.bus.topic<int>("jobs", {.capacity = 4, .lane = 1, .spill = 1});
  const auto a = on.subscribe("jobs");
  for (int i = 1; i <= 20; ++i) {
    jobs.publish(i);
    on.run();
  }
  on.broken = false;
  SECTION("outside handlers") { CHECK(on.bus.redrive<int>("dead") == 20); }
  SECTION("in handlers") {
    std::error_code refused;
    const auto repair = on.bus.subscribe<int>(
        "repair", [&](int) { refused = error_of([&] { static_cast<void>(on.bus.redrive<int>("dead")); }); });
    on.bus.topic<int>("repair").publish(1);
    on.run();
    CHECK(refused == errc::would_block);
    CHECK_FALSE(on.seen.empty());
    CHECK(on.seen.size() < 20);
    const auto left = 20 - on.seen.size();
    CHECK(on.bus.redrive<int>("dead") == left);
  }
  on.run();
  REQUIRE(on.seen.size() == 20);
  for (int i = 1; i <= 20; ++i) CHECK(on.seen[static_cast<std::size_t>(i) - 1] == i);
}

TEST_CASE("redrive of another type or of a pattern is the caller's mistake", "[redrive]") {
  testing::recording_logger log;
  workshop on(log);
  const auto a = on.subscribe("jobs");
  CHECK(error_of([&] { static_cast<void>(on.bus.redrive<std::string>("dead")); }) == errc::type_mismatch);
  CHECK(error_of([&] { static_cast<void>(on.bus.redrive<int>("dead.*")); }) == errc::invalid_topic);
}
