#include <bus/manual_engine.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

// Every schedule and deadline of the bus, on the manual engine's clock: nothing here waits.

namespace {

using instants = std::vector<std::chrono::nanoseconds>;

template <class Future>
bool is_ready(const Future& future) {
  return future.wait_for(0s) == std::future_status::ready;
}

}  // namespace

TEST_CASE("retries come on their schedule: the first delay, then each longer by the factor", "[deadlines]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("d");
  const auto start = on.engine->now();
  instants calls;
  const auto s = topic.subscribe(
      [&](const int&) {
        calls.push_back(on.engine->now() - start);
        throw std::runtime_error("no");
      },
      {.run_on = where, .on_error = on_error::retry(4, 10ms, 3.0)});
  topic.publish(1);
  on.run();
  on.advance(9ms);
  CHECK(calls == instants{0ms});
  on.advance(10s);
  CHECK(calls == instants{0ms, 10ms, 40ms, 130ms, 400ms});
}

TEST_CASE("the next event begins with the first delay again", "[deadlines]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("d");
  const auto start = on.engine->now();
  std::vector<std::pair<int, std::chrono::nanoseconds>> calls;
  const auto s = topic.subscribe(
      [&](const int& i) {
        calls.emplace_back(i, on.engine->now() - start);
        throw std::runtime_error("no");
      },
      {.on_error = on_error::retry(2, 10ms)});
  topic.publish(1);
  topic.publish(2);
  on.advance(1s);
  CHECK(calls == std::vector<std::pair<int, std::chrono::nanoseconds>>{
                     {1, 0ms}, {1, 10ms}, {1, 30ms}, {2, 30ms}, {2, 40ms}, {2, 60ms}});
}

TEST_CASE("no delay grows longer than the longest one", "[deadlines]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("d");
  std::vector<manual_engine::time_point> calls;
  const auto s = topic.subscribe(
      [&](const int&) {
        calls.push_back(on.engine->now());
        throw std::runtime_error("no");
      },
      {.on_error = on_error::retry(5, 50s, 100.0)});
  topic.publish(1);
  on.advance(1h);
  REQUIRE(calls.size() == 6);
  CHECK(calls[1] - calls[0] == 50s);
  for (std::size_t i = 2; i < calls.size(); ++i) CHECK(calls[i] - calls[i - 1] == on_error::longest_delay);
}

TEST_CASE("a request times out at its time, not before", "[deadlines]") {
  manual_bus on;
  bool called = false;
  auto s = on.bus.respond<int, int>("ask", [&](const int& i) { return called = true, i; });
  s.pause();
  auto answer = on.bus.request<int>("ask", 1, 1s);
  on.advance(999ms);
  CHECK_FALSE(is_ready(answer));
  on.advance(1ms);
  REQUIRE(is_ready(answer));
  CHECK(error_of([&] { answer.get(); }) == errc::timeout);
  CHECK_FALSE(called);
}

TEST_CASE("requests time out each at its own time, whatever the order in which they were made", "[deadlines]") {
  manual_bus on;
  auto s = on.bus.respond<int, int>("ask", [](const int& i) { return i; });
  s.pause();
  auto late = on.bus.request<int>("ask", 1, 3s);
  auto early = on.bus.request<int>("ask", 1, 1s);
  auto never = on.bus.request<int>("ask", 1, std::chrono::nanoseconds::max());
  on.advance(1s);
  CHECK(is_ready(early));
  CHECK_FALSE(is_ready(late));
  on.advance(2s);
  CHECK(is_ready(late));
  on.advance(24h);
  CHECK_FALSE(is_ready(never));
  s.resume();
  on.run();
  REQUIRE(is_ready(never));
  CHECK(never.get() == 1);
}

TEST_CASE("publish_for waits no longer than it was told", "[deadlines]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("d", {.capacity = 1, .lane = 1});
  auto s = topic.subscribe([](const int&) {});
  s.pause();
  while (!topic.try_publish(1)) on.run();
  const auto before = on.engine->now();
  CHECK(topic.publish_for(1, 250ms) == errc::timeout);
  CHECK(on.engine->now() == before + 250ms);
  CHECK(topic.publish_for(1, 0ms) == errc::timeout);
}

TEST_CASE("an inbox waits no longer than it was told", "[deadlines]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("d");
  auto in = topic.inbox();
  const auto before = on.engine->now();
  CHECK_FALSE(in.next(250ms));
  CHECK(on.engine->now() == before + 250ms);
}

TEST_CASE("close cuts at its deadline what would go on for ever", "[deadlines]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("d");
  const auto s = topic.subscribe([&](const int& i) {
    on.engine->advance(100ms);  // it takes its time
    topic.publish(i + 1);
  });
  topic.publish(1);
  const auto before = on.engine->now();
  const auto report = on.bus.close(1s);
  CHECK_FALSE(report.drained);
  CHECK(on.engine->now() >= before + 1s);
  CHECK(report.totals.adds_up());
}

TEST_CASE("idle lanes are reclaimed after their time, and what is published then goes through new ones",
          "[deadlines]") {
  manual_bus on({.reclaim_after = 10s});
  auto topic = on.bus.topic<int>("d");
  std::vector<int> seen;
  auto s = topic.subscribe([&](const int& i) { seen.push_back(i); });
  auto out = topic.publisher();
  s.pause();  // so that events go through lanes
  for (int i = 1; i <= 3; ++i) out.publish(i);
  on.run();
  REQUIRE(on.topic("d")->lanes == 1);
  s.resume();
  on.run();
  on.advance(9s);
  CHECK(on.topic("d")->lanes == 1);
  on.advance(1min);
  CHECK(on.topic("d")->lanes == 0);
  s.pause();
  out.publish(4);
  out.publish(5);
  s.resume();
  on.run();
  CHECK(seen == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(on.bus.close(1s).totals.accepted == 5);
}

TEST_CASE("an idle topic that nobody holds goes after its time, and comes back with sequences that go on",
          "[deadlines]") {
  manual_bus on({.reclaim_after = 10s});
  on.bus.topic<int>("d").publish(1);
  on.run();
  CHECK(on.topic("d"));
  on.advance(1min);
  CHECK_FALSE(on.topic("d"));
  auto topic = on.bus.topic<int>("d", {.history = 1});
  topic.publish(2);
  on.run();
  REQUIRE(topic.latest());
  CHECK(topic.latest()->sequence() >= 2);
}

TEST_CASE("a topic that somebody holds, subscribes to or that keeps a history stays", "[deadlines]") {
  manual_bus on({.reclaim_after = 10s});
  const auto held = on.bus.topic<int>("held");
  const auto publisher = on.bus.topic<int>("publisher").publisher();
  const auto s = on.bus.subscribe<int>("subscribed", [](const int&) {});
  on.bus.topic<int>("history", {.history = 1}).publish(1);
  on.advance(1h);
  for (const char* each : {"held", "publisher", "subscribed", "history"}) CHECK(on.topic(each));
}
