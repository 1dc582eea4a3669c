#include <bus/bus.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

TEST_CASE("close drains: what was accepted is handled before it returns", "[close]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  for (std::size_t round = scaled(20); round != 0; --round) {
    actorbus::bus bus;
    auto topic = bus.topic<int>("c");
    int handled = 0;
    const auto s = topic.subscribe([&](const int&) { ++handled; }, {.run_on = where});
    for (int i = 0; i < 3000; ++i) topic.publish(i);
    const auto report = bus.close(20s);
    REQUIRE(report.drained);
    REQUIRE(handled == 3000);
    REQUIRE(report.totals.accepted == 3000);
    REQUIRE(report.totals.delivered == 3000);
    REQUIRE(report.totals.adds_up());
  }
}

TEST_CASE("a closed bus refuses everything with errc::closed", "[close]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  auto out = topic.publisher();
  on.bus.close(1s);
  CHECK(error_of([&] { topic.publish(1); }) == errc::closed);
  CHECK(topic.try_publish(1) == errc::closed);
  CHECK(topic.publish_for(1, 1h) == errc::closed);
  CHECK(error_of([&] { out.publish(1); }) == errc::closed);
  CHECK(error_of([&] { topic.publish_async(1).get(); }) == errc::closed);
  CHECK(error_of([&] { on.bus.topic<int>("d"); }) == errc::closed);
  CHECK(error_of([&] { auto s = topic.subscribe([](const int&) {}); }) == errc::closed);
  CHECK(error_of([&] { auto s = on.bus.subscribe<int>("c.*", [](const int&) {}); }) == errc::closed);
  CHECK(error_of([&] { auto s = on.bus.observe(">", [](const metadata&, std::type_index) {}); }) == errc::closed);
  CHECK(error_of([&] { auto in = topic.inbox(); }) == errc::closed);
  CHECK(error_of([&] { on.bus.request<int>("r", 1, 1s).get(); }) == errc::closed);
}

TEST_CASE("a closing bus refuses publishes from outside at once and accepts them from handlers until it is quiet",
          "[close]") {
  gate held;
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("c");
  auto onward = bus.topic<int>("onward");
  story told;
  const auto no_probes = [](const metadata& m) { return !m.headers.contains("probe"); };
  const auto a = topic.subscribe(
      [&](const int& i) {
        held.pass();
        onward.publish(i);
        if (i < 3) topic.publish(i + 1);
      },
      {.where = no_probes});
  const auto b = onward.subscribe(told.handler(), {.where = no_probes});
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  auto closing = std::async(std::launch::async, [&] { return bus.close(20s); });
  REQUIRE(eventually([&] { return topic.try_publish(9, {{"probe", "a"}}) == errc::closed; }));
  REQUIRE(eventually([&] { return onward.try_publish(9, {{"probe", "b"}}) == errc::closed; }));
  held.open();
  const auto report = closing.get();
  CHECK(report.drained);
  CHECK(report.totals.adds_up());
  CHECK(told.lines() == lines{"1", "2", "3", "finished: closed"});
}

TEST_CASE("closing wakes blocked publishers with errc::closed", "[close]") {
  const bool by_abort = GENERATE(false, true);
  actorbus::bus bus;
  auto topic = bus.topic<int>("c", {.capacity = 4, .lane = 4});
  auto s = topic.subscribe([](const int&) {});
  s.pause();
  std::atomic<int> blocked{0};
  std::atomic<int> accepted{0};
  std::vector<std::future<std::error_code>> publishers;
  for (int p = 0; p < 3; ++p) {
    publishers.push_back(std::async(std::launch::async, [&] {
      auto out = topic.publisher();
      std::error_code why;
      while (!(why = out.try_publish(1))) ++accepted;
      ++blocked;
      return error_of([&] {
        for (;;) {
          out.publish(1);
          ++accepted;
        }
      });
    }));
  }
  REQUIRE(eventually([&] { return blocked == 3; }));
  const auto report = by_abort ? bus.abort() : bus.close(20s);
  for (auto& each : publishers) {
    REQUIRE(each.wait_for(20s) == std::future_status::ready);
    CHECK(each.get() == errc::closed);
  }
  CHECK(report.totals.accepted == static_cast<std::uint64_t>(accepted));
  CHECK(report.totals.adds_up());
}

TEST_CASE("an event published from handlers on and on is followed until it stops", "[close]") {
  for (std::size_t round = scaled(50); round != 0; --round) {
    actorbus::bus bus{bus_options{.workers = 2}};
    auto a = bus.topic<int>("a");
    auto b = bus.topic<int>("b");
    std::atomic<int> hops{0};
    const auto hop = [&](topic<int>& to) {
      return [&hops, &to](const int& left) {
        ++hops;
        if (left != 0) to.publish(left - 1);
      };
    };
    const auto s = a.subscribe(hop(b));
    const auto t = b.subscribe(hop(a));
    a.publish(200);
    const auto report = bus.close(20s);
    REQUIRE(report.drained);
    REQUIRE(hops == 201);
  }
}

TEST_CASE("close is idempotent: a later call returns the same report", "[close]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  const auto s = topic.subscribe([](const int&) {});
  topic.publish(1);
  const auto first = on.bus.close(1s);
  const auto second = on.bus.close(1s);
  const auto third = on.bus.abort();
  CHECK(first.drained);
  for (const auto& again : {second, third}) {
    CHECK(again.drained);
    CHECK(again.totals.accepted == 1);
    CHECK(again.totals.delivered == 1);
    CHECK(again.topics.size() == first.topics.size());
  }
}

TEST_CASE("two closers both wait, and get one report", "[close]") {
  gate held;
  actorbus::bus bus;
  auto topic = bus.topic<int>("c");
  auto probe = bus.topic<int>("probe");
  std::atomic<bool> handled{false};
  const auto s = topic.subscribe([&](const int&) {
    held.pass();
    handled = true;
  });
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  std::vector<std::future<bool>> closers;
  std::atomic<int> begun{0};
  for (int i = 0; i < 3; ++i) {
    closers.push_back(std::async(std::launch::async, [&] {
      ++begun;
      const auto report = bus.close(20s);
      return handled && report.drained && report.totals.delivered == 1;
    }));
  }
  REQUIRE(eventually([&] { return begun == 3 && probe.try_publish(2) == errc::closed; }));
  held.open();
  for (auto& each : closers) {
    REQUIRE(each.wait_for(20s) == std::future_status::ready);
    CHECK(each.get());
  }
}

TEST_CASE("close tells each subscription that it was closed, behind its last event", "[close]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  story literal;
  story pattern;
  const auto s = topic.subscribe(literal.handler(), {.run_on = where});
  const auto p = on.bus.subscribe<int>("*", pattern.handler(), {.run_on = where});
  topic.publish(1);
  on.bus.close(1s);
  CHECK(literal.lines() == lines{"1", "finished: closed"});
  CHECK(pattern.lines() == lines{"1", "finished: closed"});
}

TEST_CASE("close does not wait for paused subscriptions, nor topics for their room", "[close]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c", {.capacity = 2, .lane = 8});
  story told;
  auto paused = topic.subscribe([](const int&) {});
  auto member = topic.subscribe([](const int&) {}, {.group = "g"});
  const auto s = topic.subscribe(told.handler());
  paused.pause();
  member.pause();
  for (int i = 1; i <= 8; ++i) REQUIRE_FALSE(topic.try_publish(i));
  on.run();
  CHECK(told.size() == 2);
  const auto before = on.engine->now();
  const auto report = on.bus.close(1h);
  CHECK(on.engine->now() - before < 1s);
  CHECK(report.drained);
  CHECK(told.size() == 9);
  CHECK(report.totals.abandoned_by_subscriptions == 16);
  CHECK(report.totals.adds_up());
}
