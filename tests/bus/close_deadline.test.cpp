#include <bus/bus.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

subscription_snapshot of(const close_report& report, const std::string& name) {
  for (const auto& each : report.subscriptions) {
    if (each.name == name) return each;
  }
  return {};
}

}  // namespace

TEST_CASE("the deadline cuts a cycle of publishes between handlers", "[close]") {
  const auto where = GENERATE(run_on::pool, run_on::own_thread);
  actorbus::bus bus{bus_options{.workers = 2}};
  auto a = bus.topic<int>("a");
  auto b = bus.topic<int>("b");
  const auto s = a.subscribe([&](const int& i) { static_cast<void>(b.try_publish(i)); }, {.run_on = where});
  const auto t = b.subscribe([&](const int& i) { static_cast<void>(a.try_publish(i)); }, {.run_on = where});
  a.publish(1);
  const auto report = bus.close(20ms);
  CHECK_FALSE(report.drained);
  CHECK(report.totals.adds_up());
}

TEST_CASE("close returns by its deadline while a handler is stuck, and ~bus waits for that handler", "[close]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  gate held;
  std::atomic<bool> ended{false};
  std::atomic<bool> destroyed{false};
  std::atomic<bool> ended_first{false};
  auto bus = std::make_optional<actorbus::bus>(bus_options{.workers = 2});
  auto topic = bus->topic<int>("c");
  const auto s = topic.subscribe(
      [&](const int&) {
        held.pass();
        ended = true;
      },
      {.run_on = where, .name = "stuck"});
  const opens_at_the_end opens(held);
  topic.publish(1);
  topic.publish(2);
  REQUIRE(held.reached());
  const auto report = bus->close(10ms);  // had it waited for the handler, the test would end here
  CHECK_FALSE(ended);
  CHECK_FALSE(report.drained);
  CHECK(report.totals.adds_up());
  CHECK(report.totals.accepted == 2);
  CHECK_FALSE(s.active());
  std::thread destroyer([&] {
    bus.reset();
    ended_first = ended.load();
    destroyed = true;
  });
  CHECK_FALSE(destroyed);
  held.open();
  destroyer.join();
  CHECK(ended_first);
}

TEST_CASE("abort does not wait for handlers, and accounts for what it abandoned", "[close]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  gate held;
  std::atomic<int> calls{0};
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("c", {.capacity = 16, .lane = 16});
  const auto s = topic.subscribe(
      [&](const int&) {
        ++calls;
        held.pass();
      },
      {.run_on = where, .name = "s"});
  const opens_at_the_end opens(held);
  std::uint64_t accepted = 0;
  topic.publish(1);
  REQUIRE(held.reached());
  for (++accepted; !topic.try_publish(1);) ++accepted;
  const auto report = bus.abort();
  CHECK_FALSE(report.drained);
  CHECK(report.totals.accepted == accepted);
  CHECK(report.totals.delivered == 0);
  CHECK(report.totals.adds_up());
  held.open();
  REQUIRE(eventually([&] { return bus.snapshot().subscriptions.empty(); }));
  CHECK(calls == 1);
}

TEST_CASE("an inbox ends also when the bus was aborted under load", "[close]") {
  for (int round = 0; round < 20; ++round) {
    actorbus::bus bus;
    auto topic = bus.topic<int>("c");
    auto in = topic.inbox({.capacity = 100});
    std::atomic<bool> stop{false};
    std::thread publishing([&] {
      while (!stop && !topic.try_publish(1)) {
      }
    });
    REQUIRE(in.next(20s));
    bus.abort();
    std::size_t rest = 0;
    while (in.next(20s)) ++rest;
    stop = true;
    publishing.join();
    REQUIRE(in.closed());
  }
}

TEST_CASE("close waits for a retry that comes in time, and gives up one that does not", "[close]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("c");
  int calls = 0;
  const auto s = topic.subscribe(
      [&](const int&) {
        ++calls;
        throw std::runtime_error("no");
      },
      {.on_error = on_error::retry(10, 1s, 2.0), .name = "s"});
  topic.publish(1);
  const auto before = on.engine->now();
  const auto report = on.bus.close(5s);  // attempts at 0, 1 and 3 seconds
  CHECK(on.engine->now() == before + 5s);
  CHECK(calls == 3);
  CHECK_FALSE(report.drained);
  CHECK(of(report, "s").retries == 3);
  CHECK(report.totals.abandoned_by_subscriptions == 1);
  CHECK(report.totals.adds_up());
}

TEST_CASE("close without an argument takes bus_options::close_within, and so does ~bus", "[close]") {
  auto engine = std::make_shared<manual_engine>();
  const auto stuck = [&](actorbus::bus& bus) {
    auto topic = bus.topic<int>("c");
    recording_logger quiet;
    auto s =
        topic.subscribe([](const int&) { throw std::runtime_error("no"); }, {.on_error = on_error::retry(1000, 1min)});
    topic.publish(1);
    return s;
  };
  recording_logger log;
  const auto start = engine->now();
  {
    actorbus::bus bus(engine, {.close_within = 3s, .logger = log.logger()});
    const auto s = stuck(bus);
    CHECK_FALSE(bus.close().drained);
    CHECK(engine->now() == start + 3s);
  }
  engine = std::make_shared<manual_engine>();
  const auto again = engine->now();
  {
    actorbus::bus bus(engine, {.close_within = 7s, .logger = log.logger()});
    const auto s = stuck(bus);
    auto gone = std::move(bus);
  }
  CHECK(engine->now() >= again + 7s);
}

TEST_CASE("a handler that outlasts the close is told nothing more and publishes nothing more", "[close]") {
  gate held;
  std::error_code late;
  auto bus = std::make_optional<actorbus::bus>(bus_options{.workers = 2});
  auto topic = bus->topic<int>("c");
  auto other = bus->topic<int>("other");
  story told;
  const auto s = topic.subscribe(overloaded{[&](const int& i) {
                                              told.add(std::to_string(i));
                                              held.pass();
                                              late = other.try_publish(1);
                                            },
                                            [&](const finished&) { told.add("finished"); }});
  const opens_at_the_end opens(held);
  topic.publish(1);
  topic.publish(2);
  REQUIRE(held.reached());
  bus->close(1ms);
  held.open();
  bus.reset();
  CHECK(late == errc::closed);
  CHECK(told.lines() == story::lines_type{"1"});
}
