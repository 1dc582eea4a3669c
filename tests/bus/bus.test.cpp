#include <bus/bus.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::eventually;
using testing::gate;
using testing::manual_bus;

TEST_CASE("the options of a bus have defaults, and its name is shown", "[bus]") {
  const bus_options defaults;
  CHECK(defaults.workers == 0);
  CHECK(defaults.idle == idle_strategy::park);
  CHECK(defaults.close_within == 5s);
  CHECK(bus().name() == "actorbus");
  bus named{bus_options{.name = "robot-7", .workers = 2, .idle = idle_strategy::park, .close_within = 5s}};
  CHECK(named.name() == "robot-7");
  CHECK(named.snapshot().name == "robot-7");
}

TEST_CASE("several buses in one process share nothing", "[bus]") {
  std::vector<bus> buses;
  std::vector<std::atomic<int>> sums(4);
  std::vector<subscription> subscribed;
  for (int i = 0; i < 4; ++i) {
    buses.emplace_back(bus_options{.name = "bus-" + std::to_string(i), .workers = 1});
    subscribed.push_back(
        buses.back().subscribe<int>("same.name", [&sums, i](int v) { sums[static_cast<std::size_t>(i)] += v; }));
  }
  for (int i = 0; i < 4; ++i) buses[static_cast<std::size_t>(i)].topic<int>("same.name").publish(i + 1);
  buses[0].topic<int>("only.here");
  CHECK_NOTHROW(buses[1].topic<std::string>("only.here"));  // another type: it is another topic
  for (auto& each : buses) REQUIRE(each.flush(20s));
  for (int i = 0; i < 4; ++i) CHECK(sums[static_cast<std::size_t>(i)] == i + 1);
  buses[2].close();
  CHECK(error_of([&] { buses[2].topic<int>("same.name"); }) == errc::closed);
  CHECK_NOTHROW(buses[3].topic<int>("same.name").publish(1));
}

TEST_CASE("a handler of one bus publishes to another", "[bus]") {
  bus a, b;
  auto there = b.topic<int>("t");
  std::promise<int> arrived;
  const auto on_b = there.subscribe([&](int i) { arrived.set_value(i); });
  const auto on_a = a.subscribe<int>("t", [&](int i) { there.publish(i + 1); });
  a.topic<int>("t").publish(1);
  auto result = arrived.get_future();
  REQUIRE(result.wait_for(20s) == std::future_status::ready);
  CHECK(result.get() == 2);
}

TEST_CASE("a bus moves with all it has, and one that is assigned to closes what it was", "[bus]") {
  std::atomic<int> seen{0};
  bus first;
  auto topic = first.topic<int>("t");
  const auto subscribed = topic.subscribe([&](int) { ++seen; });
  bus second = std::move(first);
  topic.publish(1);
  REQUIRE(second.flush(20s));
  CHECK(seen == 1);
  second = bus();
  CHECK(topic.try_publish(2) == errc::closed);
  CHECK_NOTHROW(second.topic<int>("t").publish(3));
}

TEST_CASE("on_thread_start is called first on each thread of the bus", "[bus]") {
  static thread_local bool started = false;
  const auto idle = GENERATE(idle_strategy::park, idle_strategy::spin);
  std::atomic<int> starts{0}, unstarted{0}, calls{0};
  {
    bus on({.workers = 3, .idle = idle, .on_thread_start = [&] {
              started = true;
              ++starts;
            }});
    auto topic = on.topic<int>("t");
    auto handler = [&](int) {
      unstarted += !started;
      ++calls;
    };
    std::vector<subscription> subscribed;
    for (const auto where : {run_on::pool, run_on::topic, run_on::own_thread}) {
      subscribed.push_back(topic.subscribe(handler, {.run_on = where}));
    }
    for (int i = 0; i < 100; ++i) topic.publish(i);
    REQUIRE(on.flush(20s));
  }
  CHECK(calls == 300);
  CHECK(unstarted == 0);
  CHECK(starts >= 4);  // the workers and the thread of its own
  CHECK_FALSE(started);
}

TEST_CASE("the bus reports to the user's logger", "[bus]") {
  const testing::recording_logger log;
  {
    manual_bus on({.name = "robot-7", .logger = log.logger()});
    auto topic = on.bus.topic<int>("robot.pose");
    const auto subscribed = topic.subscribe([](int) { throw std::runtime_error("the handler's mistake"); });
    topic.publish(1);
    on.run();
  }
  const std::string text = log.text();
  CAPTURE(text);
  CHECK(text.find("robot-7") != std::string::npos);
  CHECK(text.find("robot.pose") != std::string::npos);
  CHECK(text.find("the handler's mistake") != std::string::npos);
}

TEST_CASE("the destructor of a bus lets handlers finish what was accepted", "[bus]") {
  std::atomic<int> all{0};
  std::optional<subscription> outlives;
  {
    bus on({.workers = 2});
    auto topic = on.topic<int>("t");
    outlives = topic.subscribe([&](int) { ++all; });
    for (int i = 0; i < 1000; ++i) topic.publish(i);
  }
  CHECK(all == 1000);
  CHECK_FALSE(outlives->active());
}

TEST_CASE("close returns by close_within, and the destructor waits for a handler still running", "[bus]") {
  gate at;
  std::atomic<int> entered{0};
  std::atomic<bool> left{false};
  std::thread opening;
  {
    bus on({.workers = 1, .close_within = 1ms});
    auto topic = on.topic<int>("t");
    const auto subscribed = topic.subscribe([&](int) {
      ++entered;
      at.pass();
      left = true;
    });
    for (int i = 0; i < 10; ++i) topic.publish(i);
    REQUIRE(at.reached());
    const auto report = on.close();
    CHECK_FALSE(left);
    CHECK_FALSE(report.drained);
    CHECK(report.totals.adds_up());
    opening = std::thread([&] { at.open(); });
    bus ends_first = std::move(on);
  }
  CHECK(entered == 1);
  CHECK(left);
  opening.join();
}

TEST_CASE("a bus that its own handler destroys ends all the same", "[bus]") {
  auto on = std::make_shared<bus>(bus_options{.workers = 1});
  const std::weak_ptr<core::bus_core> core = on->core();
  std::promise<void> destroyed;
  auto ended = destroyed.get_future();
  auto topic = on->topic<int>("t");
  auto sentinel = std::make_shared<int>(0);
  const std::weak_ptr<int> callable = sentinel;
  const auto subscribed = topic.subscribe([&on, &destroyed, sentinel = std::move(sentinel)](int) {
    on.reset();
    destroyed.set_value();
  });
  topic.publish(1);
  REQUIRE(ended.wait_for(20s) == std::future_status::ready);
  CHECK(eventually([&] { return topic.try_publish(2) == errc::closed; }));
  CHECK(eventually([&] { return callable.expired(); }));
  CHECK(eventually([&] { return !subscribed.active(); }));
}

TEST_CASE("flush and close in a handler are errc::in_handler", "[bus]") {
  manual_bus on;
  std::vector<std::error_code> errors;
  const auto subscribed = on.bus.subscribe<int>("t", [&](int) {
    errors.push_back(error_of([&] { on.bus.flush(1s); }));
    errors.push_back(error_of([&] { on.bus.close(1s); }));
    errors.push_back(error_of([&] { on.bus.abort(); }));
  });
  on.bus.topic<int>("t").publish(1);
  on.run();
  CHECK(errors == std::vector<std::error_code>(3, make_error_code(errc::in_handler)));
}
