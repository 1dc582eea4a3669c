#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/wandering_engine.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::eventually;
using testing::manual_bus;
using testing::scaled;
using testing::wandering_engine;

namespace {

std::vector<int> numbers(int from, int past) {
  std::vector<int> all(static_cast<std::size_t>(past - from));
  std::iota(all.begin(), all.end(), from);
  return all;
}

run_on anywhere() { return GENERATE(run_on::pool, run_on::topic, run_on::own_thread); }

}  // namespace

TEST_CASE("a handler publishes to its own topic, however small that is", "[publish_from_handler]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 1, .lane = 1});
  std::vector<int> seen;
  const auto subscribed = topic.subscribe(
      [&](int i) {
        seen.push_back(i);
        if (i < 1000) topic.publish(i + 1);
      },
      {.run_on = anywhere()});
  topic.publish(0);
  on.run();
  CHECK(seen == numbers(0, 1001));
}

TEST_CASE("handlers publish to each other in a cycle, more than all lanes hold, and none waits",
          "[publish_from_handler]") {
  manual_bus on;
  auto a = on.bus.topic<int>("a", {.capacity = 2, .lane = 1});
  auto b = on.bus.topic<int>("b", {.capacity = 2, .lane = 1});
  std::size_t seen = 0;
  auto twice_into = [&](topic<int>& to) {
    return [&](int depth) {
      ++seen;
      if (depth == 0) return;
      to.publish(depth - 1);
      to.publish(depth - 1);
    };
  };
  const auto where = anywhere();
  const auto on_a = a.subscribe(twice_into(b), {.run_on = where});
  const auto on_b = b.subscribe(twice_into(a), {.run_on = where});
  a.publish(10);
  on.run();
  CHECK(seen == (1U << 11) - 1);
  CHECK(on.topic("a")->refused + on.topic("b")->refused == 0);
}

TEST_CASE("what the lane cannot hold goes to the spill, in order", "[publish_from_handler]") {
  manual_bus on;
  auto from = on.bus.topic<int>("from");
  auto to = on.bus.topic<std::string>("to", {.capacity = 4, .lane = 4, .spill = 1000});
  std::vector<std::string> seen, sent;
  const auto arriving = to.subscribe([&](const std::string& s) { seen.push_back(s); });
  const auto leaving = from.subscribe(
      [&](int round) {
        for (int i = 0; i < 300; ++i) {
          sent.push_back(std::to_string(300 * round + i));
          to.publish(sent.back());
        }
      },
      {.run_on = anywhere()});
  for (int round = 0; round < 3; ++round) from.publish(round);
  on.run();
  CHECK(seen == sent);
  const auto t = *on.topic("to");
  CHECK(t.accepted == 900);
  CHECK(t.refused == 0);
  CHECK(t.spilled >= 280);
}

TEST_CASE("a publisher object in a handler spills as well and keeps its order", "[publish_from_handler]") {
  manual_bus on;
  auto from = on.bus.topic<int>("from");
  auto to = on.bus.topic<int>("to", {.capacity = 4, .lane = 4});
  auto out = to.publisher();
  std::vector<int> seen;
  const auto arriving = to.subscribe([&](int i) { seen.push_back(i); });
  const auto leaving = from.subscribe([&](int) {
    for (int i = 0; i < 50; ++i) out.publish(i);
    out.publish_all(numbers(50, 100));
    for (int i = 100; i < 150; ++i) CHECK_FALSE(out.try_publish(i));
    for (int i = 150; i < 200; ++i) CHECK_FALSE(out.publish_for(i, 1h));
  });
  from.publish(1);
  on.run();
  CHECK(seen == numbers(0, 200));
}

TEST_CASE("when the spill is full too, publish throws errc::would_block, the event refused and counted",
          "[publish_from_handler]") {
  manual_bus on;
  auto from = on.bus.topic<int>("from");
  auto to = on.bus.topic<int>("to", {.capacity = 4, .lane = 3, .spill = 5});
  std::vector<int> seen, accepted;
  int refused = 0;
  auto arriving = to.subscribe([&](int i) { seen.push_back(i); });
  arriving.pause();
  to.publish_all(numbers(-7, 0));  // the capacity is used up, and this thread's lane is full
  const auto leaving = from.subscribe([&](int) {
    const auto before = on.engine->now();
    auto count = [&](int i, std::error_code why) {
      if (!why) {
        accepted.push_back(i);
      } else if (why == errc::would_block) {
        ++refused;
      }
    };
    for (int i = 0; i < 20; ++i) count(i, error_of([&] { to.publish(i); }));
    for (int i = 20; i < 30; ++i) count(i, to.try_publish(i));
    for (int i = 30; i < 40; ++i) count(i, to.publish_for(i, 1h));
    CHECK(on.engine->now() == before);
  });
  from.publish(1);
  on.run();
  CHECK(accepted == numbers(0, 3 + 5));
  CHECK(refused == 40 - 8);
  CHECK(on.topic("to")->refused == 32);
  CHECK(on.topic("to")->spilled == 5);
  arriving.resume();
  on.run();
  CHECK(seen == numbers(-7, 8));
  from.publish(2);  // and there is room again
  on.run();
  CHECK(seen.size() >= 15 + 8);
}

TEST_CASE("a handler that a full spill throws out of has failed, and the bus goes on", "[publish_from_handler]") {
  const testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto from = on.bus.topic<int>("from");
  auto to = on.bus.topic<int>("to", {.capacity = 1, .lane = 1, .spill = 0});
  auto stopped = to.subscribe([](int) {});
  stopped.pause();
  const auto leaving = from.subscribe([&](int i) { to.publish(i); }, {.on_error = on_error::retry(3, 10ms)});
  for (int i = 0; i < 4; ++i) from.publish(i);
  on.advance(5ms);
  stopped.resume();
  on.advance(1s);
  const auto report = on.bus.close(1s);
  CHECK(report.totals.failed == 0);
  CHECK(report.totals.delivered == 8);
  CHECK(report.totals.adds_up());
  CHECK(log.text().find("would have to wait") != std::string::npos);
}

TEST_CASE("the events of one subscription's handler keep their order although its actor moves between threads",
          "[publish_from_handler]") {
  auto engine = std::make_shared<wandering_engine>();
  bus on(engine);
  auto from = on.topic<int>("from");
  auto to = on.topic<int>("to", {.capacity = 16, .lane = 4});
  std::vector<int> seen;
  std::set<std::thread::id> threads;
  auto arriving = to.subscribe([&](int i) { seen.push_back(i); });
  arriving.pause();  // so that the lanes fill and what is in them meets what comes later
  const auto leaving = from.subscribe([&](int i) {
    threads.insert(std::this_thread::get_id());
    for (int n = 0; n < 7; ++n) to.publish(7 * i + n);
  });
  std::size_t slices = 0;
  for (int i = 0; i < 100; ++i) {
    from.publish(i);
    slices += engine->run();
    if (i % 10 == 9) {
      arriving.resume();
      engine->run();
      arriving.pause();
    }
  }
  arriving.resume();
  engine->run();
  CHECK(slices >= 100);
  CHECK(threads.count(std::this_thread::get_id()) == 0);
  CHECK(seen == numbers(0, 700));
  CHECK(on.snapshot().topics.at(1).name == "to");
  CHECK(on.snapshot().topics.at(1).lanes <= 1);  // the subscription's, whatever thread it was on
}

TEST_CASE("several handlers publish into one topic from all workers, each keeping its order",
          "[publish_from_handler]") {
  constexpr std::size_t handlers = 6;
  const int events = static_cast<int>(scaled(2000));
  bus on({.workers = 3});
  auto from = on.topic<int>("from", {.capacity = 64});
  auto to = on.topic<std::pair<std::size_t, int>>("to", {.capacity = 32, .lane = 4});
  std::vector<std::vector<int>> seen(handlers);
  const auto arriving = to.subscribe([&](const std::pair<std::size_t, int>& p) { seen[p.first].push_back(p.second); });
  std::vector<subscription> leaving;
  for (std::size_t h = 0; h < handlers; ++h) {
    leaving.push_back(from.subscribe([&to, h](int i) {
      to.publish({h, 2 * i});
      to.publish({h, 2 * i + 1});
    }));
  }
  auto out = from.publisher();
  for (int i = 0; i < events; ++i) out.publish(i);
  REQUIRE(eventually([&] {
    const auto topics = on.snapshot().topics;
    return topics.at(0).depth == 0 && topics.at(1).accepted == 2 * handlers * static_cast<std::size_t>(events);
  }));
  REQUIRE(on.flush(20s));
  const auto sent = numbers(0, 2 * events);
  for (const auto& from_one : seen) CHECK(from_one == sent);
}

TEST_CASE("publish_async in a handler completes although nobody waits for it", "[publish_from_handler]") {
  manual_bus on;
  auto from = on.bus.topic<int>("from");
  auto to = on.bus.topic<int>("to", {.capacity = 2, .lane = 2, .spill = 100});
  std::vector<std::future<void>> futures;
  std::vector<int> seen;
  const auto arriving = to.subscribe([&](int i) { seen.push_back(i); });
  const auto leaving = from.subscribe([&](int) {
    for (int i = 0; i < 50; ++i) futures.push_back(to.publish_async(i));
  });
  from.publish(1);
  on.run();
  REQUIRE(futures.size() == 50);
  for (auto& each : futures) {
    REQUIRE(each.wait_for(0s) == std::future_status::ready);
    CHECK_NOTHROW(each.get());
  }
  CHECK(seen == numbers(0, 50));
}
