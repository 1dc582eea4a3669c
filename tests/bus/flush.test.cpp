#include <bus/bus.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/gate.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("flush returns when everything published before it has been handled", "[flush]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  actorbus::bus bus;
  auto topic = bus.topic<int>("f");
  std::atomic<int> handled{0};
  const auto s = topic.subscribe([&](const int&) { ++handled; }, {.run_on = where});
  auto out = topic.publisher();
  int published = 0;
  for (std::size_t round = scaled(2000); round != 0; --round) {
    for (std::size_t i = 0; i < round % 7 + 1; ++i, ++published) {
      round % 2 == 0 ? topic.publish(published) : out.publish(published);
    }
    REQUIRE(bus.flush(20s));
    REQUIRE(handled == published);
  }
}

TEST_CASE("flush covers what each thread published before, while others go on publishing", "[flush]") {
  actorbus::bus bus;
  auto topic = bus.topic<std::size_t>("f");
  constexpr std::size_t threads = 3;
  std::vector<std::atomic<std::size_t>> handled(threads);
  const auto s = topic.subscribe([&](const std::size_t& i) { ++handled[i]; });
  std::atomic<int> wrong{0};
  std::vector<std::thread> running;
  const std::size_t rounds = scaled(200);
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      auto out = topic.publisher();
      for (std::size_t round = 1; round <= rounds; ++round) {
        for (int i = 0; i < 20; ++i) out.publish(t);
        if (!bus.flush(20s) || handled[t] != round * 20) ++wrong;
      }
    });
  }
  for (auto& each : running) each.join();
  CHECK(wrong == 0);
}

TEST_CASE("flush waits for the spill of handlers, for replays and for groups", "[flush]") {
  manual_bus on;
  auto from = on.bus.topic<int>("from", {.history = 5});
  auto to = on.bus.topic<int>("to", {.lane = 2});
  for (int i = 0; i < 5; ++i) from.publish(i);
  story spilled;
  story grouped;
  const auto a = to.subscribe(spilled.handler());
  const auto b = to.subscribe(grouped.handler(), {.group = "g"});
  const auto c = from.subscribe([&](const int& i) { to.publish(i); }, {.from = replay::all()});
  from.publish(5);
  CHECK(on.bus.flush(1s));
  CHECK(on.bus.flush(1s));  // what handlers published meanwhile was not covered by the first
  CHECK(spilled.size() == 6);
  CHECK(grouped.size() == 6);
}

TEST_CASE("flush waits for the members of a group to handle what its finished topic left them", "[flush]") {
  gate held;
  actorbus::bus bus;
  auto topic = bus.topic<int>("f");
  std::atomic<int> handled{0};
  const auto s = topic.subscribe(
      [&](const int&) {
        held.pass();
        ++handled;
      },
      {.group = "g"});
  const opens_at_the_end opens(held);
  for (int i = 0; i < 10; ++i) topic.publish(i);
  topic.finish();
  REQUIRE(held.reached());
  CHECK_FALSE(bus.flush(1ms));
  held.open();
  CHECK(bus.flush(20s));
  CHECK(handled == 10);
}

TEST_CASE("flush waits for retries, and for the dead letter that follows", "[flush]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("f");
  auto dead = on.bus.topic<int>("f.dead");
  story told;
  const auto d = dead.subscribe(told.handler());
  int calls = 0;
  const auto s = topic.subscribe(
      [&](const int&) {
        ++calls;
        throw std::runtime_error("no");
      },
      {.on_error = on_error::retry(3, 100ms, 1.0).then_dead_letter("f.dead")});
  topic.publish(1);
  const auto before = on.engine->now();
  CHECK_FALSE(on.bus.flush(150ms));
  CHECK(on.engine->now() == before + 150ms);
  CHECK(on.bus.flush(1h));
  CHECK(calls == 4);
  CHECK(on.engine->now() - before < 1s);
  CHECK(on.bus.flush(1s));
  CHECK(told.lines() == story::lines_type{"1"});
}

TEST_CASE("flush gives up at its deadline", "[flush]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f");
  auto s = topic.subscribe([](const int&) {});
  s.pause();
  topic.publish(1);
  const auto before = on.engine->now();
  CHECK_FALSE(on.bus.flush(5s));
  CHECK(on.engine->now() == before + 5s);
  CHECK_FALSE(on.bus.flush(0s));
  s.resume();
  CHECK(on.bus.flush(0s) == false);  // nothing has run yet
  on.run();
  CHECK(on.bus.flush(0s));
}

TEST_CASE("flush does not wait for inboxes, nor for what a cancelled subscription left", "[flush]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("f");
  const auto in = topic.inbox();
  {
    auto s = topic.subscribe([](const int&) {});
    s.pause();
    topic.publish(1);
    CHECK_FALSE(on.bus.flush(1ms));
  }
  CHECK(on.bus.flush(1ms));
}

TEST_CASE("flush of an empty bus, and of a closed one, is true at once", "[flush]") {
  manual_bus on;
  const auto before = on.engine->now();
  CHECK(on.bus.flush(0s));
  on.bus.close(1s);
  CHECK(on.bus.flush(0s));
  CHECK(on.engine->now() == before);
}
