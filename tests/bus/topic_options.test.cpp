#include <bus/options.hpp>

#include <string>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

TEST_CASE("the options of a topic have the defaults of the table", "[topic_options]") {
  const topic_options defaults;
  CHECK(defaults.capacity == 8192);
  CHECK(defaults.history == 0);
  CHECK(defaults.lane == 1024);
  CHECK(defaults.spill == 65536);
  CHECK_FALSE(defaults.intercept);
}

TEST_CASE("explicit options configure a topic that was created without", "[topic_options]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  for (int i = 1; i <= 5; ++i) topic.publish(i);
  on.run();
  auto same = on.bus.topic<int>("t", {.history = 3});
  for (int i = 6; i <= 10; ++i) topic.publish(i);
  on.run();
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); }, {.from = replay::all()});
  on.run();
  CHECK(seen == std::vector{8, 9, 10});
}

TEST_CASE("a subscription that was there before follows the explicit capacity", "[topic_options]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  auto in = topic.inbox();
  on.bus.topic<int>("t", {.capacity = 4});
  for (int i = 1; i <= 10; ++i) topic.publish(i);
  on.run();
  std::vector<int> seen;
  in.poll([&](int i) { seen.push_back(i); });
  CHECK(seen == std::vector{7, 8, 9, 10});
  CHECK(in.dropped() == 6);
}

TEST_CASE("two different explicit options are errc::options_mismatch", "[topic_options]") {
  manual_bus on;
  const topic_options first{.capacity = 16, .history = 4};
  auto topic = on.bus.topic<int>("t", first);
  CHECK(error_of([&] { on.bus.topic<int>("t", {.capacity = 16, .history = 5}); }) == errc::options_mismatch);
  CHECK(error_of([&] { on.bus.topic<int>("t", {.capacity = 17, .history = 4}); }) == errc::options_mismatch);
  CHECK(error_of([&] { on.bus.topic<int>("t", {.capacity = 16, .history = 4, .lane = 8}); }) == errc::options_mismatch);
  CHECK(error_of([&] { on.bus.topic<int>("t", {.capacity = 16, .history = 4, .spill = 8}); }) ==
        errc::options_mismatch);
  CHECK(error_of([&] { on.bus.topic<int>("t", topic_options{}); }) == errc::options_mismatch);
  for (int i = 1; i <= 10; ++i) topic.publish(i);  // the first ones hold
  on.run();
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); }, {.from = replay::all()});
  on.run();
  CHECK(seen == std::vector{7, 8, 9, 10});
}

TEST_CASE("the same explicit options again, or none, are no mismatch", "[topic_options]") {
  manual_bus on;
  on.bus.topic<int>("t", {.history = 4});
  CHECK_NOTHROW(on.bus.topic<int>("t", {.history = 4}));
  CHECK_NOTHROW(on.bus.topic<int>("t"));
  CHECK_NOTHROW(on.bus.topic<int>("t", {.history = 4}));
}

TEST_CASE("a mismatch names the topic and both options", "[topic_options]") {
  manual_bus on;
  on.bus.topic<int>("robot.kept", {.history = 4});
  try {
    on.bus.topic<int>("robot.kept", {.history = 77});
    FAIL("no error");
  } catch (const bus_error& error) {
    const std::string what = error.what();
    CHECK(what.find("robot.kept") != std::string::npos);
    CHECK(what.find("history 4") != std::string::npos);
    CHECK(what.find("history 77") != std::string::npos);
  }
}

TEST_CASE("a capacity or a lane of 0 is errc::invalid_argument and makes no topic", "[topic_options]") {
  manual_bus on;
  CHECK(error_of([&] { on.bus.topic<int>("t", {.capacity = 0}); }) == errc::invalid_argument);
  CHECK(error_of([&] { on.bus.topic<int>("t", {.lane = 0}); }) == errc::invalid_argument);
  CHECK(on.bus.snapshot().topics.empty());
}

TEST_CASE("a topic that every option makes as small as can be still delivers everything", "[topic_options]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 1, .history = 1, .lane = 1, .spill = 0});
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); });
  std::vector<int> sent;
  auto out = topic.publisher();
  for (int i = 0; i < 100; ++i) {
    sent.push_back(i);
    out.publish(i);
  }
  on.run();
  CHECK(seen == sent);
}
