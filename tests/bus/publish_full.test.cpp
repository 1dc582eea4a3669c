#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::eventually;
using testing::manual_bus;

namespace {

/// A topic that a paused subscription stops, on a bus with threads, and publishers that wait there.
struct crowded {
  explicit crowded(std::size_t publishers) {
    subscribed.pause();
    for (std::size_t i = 0; i < publishers; ++i) {
      waiting.emplace_back([this, i] {
        auto out = topic.publisher();
        errors[i] = error_of([&] {
          for (int n = 0; n < 100; ++n) out.publish(n);
        });
      });
    }
    // Each is ahead by its lane, and all together by the capacity: from here on each of them waits.
    const std::size_t most = publishers * lane + capacity;
    is_full = eventually([&] { return on.snapshot().topics.at(0).accepted == most; });
  }
  ~crowded() {
    topic.finish();
    for (auto& each : waiting) each.join();
  }

  void join() {
    for (auto& each : waiting) each.join();
    waiting.clear();
  }

  static constexpr std::size_t capacity = 8, lane = 2;
  actorbus::bus on;
  actorbus::topic<int> topic = on.topic<int>("t", {.capacity = capacity, .lane = lane});
  std::atomic<int> handled{0};
  subscription subscribed = topic.subscribe([this](int) { ++handled; });
  std::vector<std::error_code> errors = std::vector<std::error_code>(16);
  bool is_full = false;
  std::vector<std::thread> waiting;
};

}  // namespace

TEST_CASE("a publisher can run ahead by lane and capacity, exactly", "[publish_full]") {
  manual_bus on;
  for (const auto& [capacity, lane] : {std::pair<std::size_t, std::size_t>{1, 1}, {4, 2}, {2, 64}, {1000, 7}}) {
    CAPTURE(capacity, lane);
    auto topic = on.bus.topic<int>("t" + std::to_string(capacity), {.capacity = capacity, .lane = lane});
    auto subscribed = topic.subscribe([](int) {});
    subscribed.pause();
    auto by_deadline = topic.publisher();
    std::size_t accepted = 0;
    while (!by_deadline.publish_for(1, 1ms)) ++accepted;
    CHECK(accepted == capacity + lane);
    auto at_once = topic.publisher();  // the capacity is taken, a lane of its own it has
    accepted = 0;
    while (!at_once.try_publish(1)) ++accepted, on.run();
    CHECK(accepted == lane);
    auto second_try = topic.publisher();
    CHECK_FALSE(second_try.try_publish(1));
  }
}

TEST_CASE("try_publish to a full lane is errc::would_block, publish_for errc::timeout at its deadline",
          "[publish_full]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 1, .lane = 1});
  auto subscribed = topic.subscribe([](int) {});
  subscribed.pause();
  topic.publish(1);
  topic.publish(2);
  const auto before = on.engine->now();
  CHECK(topic.try_publish(3) == errc::would_block);
  CHECK(on.engine->now() == before);
  CHECK(topic.publish_for(3, 250ms) == errc::timeout);
  CHECK(on.engine->now() == before + 250ms);
  CHECK(topic.publish_for(3, 0s) == errc::timeout);
  CHECK(topic.publish_for(3, -1s) == errc::timeout);
  CHECK(on.topic("t")->refused == 4);
  CHECK(on.topic("t")->accepted == 2);
}

TEST_CASE("what one publisher cannot place stops no other publisher, before the capacity is used up",
          "[publish_full]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 100, .lane = 2});
  std::size_t seen = 0;
  const auto subscribed = topic.subscribe([&](int) { ++seen; });
  auto full = topic.publisher();
  while (!full.try_publish(1)) continue;  // nothing runs, so nothing is drained
  auto other = topic.publisher();
  CHECK_FALSE(other.try_publish(1));
  CHECK_FALSE(topic.try_publish(1));
}

TEST_CASE("a publish that waits goes on when the subscriber has caught up", "[publish_full]") {
  crowded at(3);
  CHECK(at.is_full);
  at.subscribed.resume();
  at.join();
  for (std::size_t i = 0; i < 3; ++i) CHECK_FALSE(at.errors[i]);
  REQUIRE(at.on.flush(20s));
  CHECK(at.handled == 300);
}

TEST_CASE("a publish that waits goes on when the subscriber that held it up is gone", "[publish_full]") {
  crowded at(3);
  CHECK(at.is_full);
  at.subscribed.cancel();
  at.join();
  for (std::size_t i = 0; i < 3; ++i) CHECK_FALSE(at.errors[i]);
  CHECK(at.handled == 0);
  CHECK(at.on.snapshot().topics.at(0).accepted == 300);
}

TEST_CASE("close wakes the publishers that wait, with errc::closed", "[publish_full]") {
  crowded at(4);
  CHECK(at.is_full);
  const auto report = at.on.close(5s);
  at.join();
  for (std::size_t i = 0; i < 4; ++i) CHECK(at.errors[i] == errc::closed);
  CHECK(report.totals.accepted == 4 * at.lane + at.capacity);
  CHECK(report.totals.adds_up());
}

TEST_CASE("abort wakes the publishers that wait, with errc::closed", "[publish_full]") {
  crowded at(4);
  CHECK(at.is_full);
  const auto report = at.on.abort();
  at.join();
  for (std::size_t i = 0; i < 4; ++i) CHECK(at.errors[i] == errc::closed);
  CHECK(report.totals.accepted == 4 * at.lane + at.capacity);
  CHECK(report.totals.adds_up());
}

TEST_CASE("finish wakes the publishers that wait, with errc::finished", "[publish_full]") {
  crowded at(4);
  CHECK(at.is_full);
  at.topic.finish();
  at.join();
  for (std::size_t i = 0; i < 4; ++i) CHECK(at.errors[i] == errc::finished);
  at.subscribed.resume();
  REQUIRE(at.on.flush(20s));
  CHECK(at.handled == 4 * at.lane + at.capacity);
}

TEST_CASE("without a subscriber, or with one that drops, a topic is never full", "[publish_full]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 2, .lane = 2});
  auto out = topic.publisher();
  for (int i = 0; i < 100; ++i) out.publish(i);
  auto dropping = topic.subscribe([](int) {}, {.overflow = overflow::drop_oldest});
  auto newest = topic.subscribe([](int) {}, {.overflow = overflow::latest});
  auto leaving = topic.subscribe([](int) {}, {.overflow = overflow::disconnect});
  auto polled = topic.inbox();
  dropping.pause();
  newest.pause();
  leaving.pause();
  for (int i = 0; i < 100; ++i) CHECK_FALSE(out.publish_for(i, 0s));
  CHECK(on.topic("t")->accepted == 200);
}
