#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::basic_counted;
using testing::census;
using testing::counted;
using testing::error_of;
using testing::manual_bus;

namespace {

struct alignas(256) over_aligned {
  int value;
};

struct throwing_move {
  throwing_move(int v) : value(v) {}  // NOLINT: implicit, as an aggregate would be
  throwing_move(const throwing_move&) = default;
  throwing_move(throwing_move&& other) noexcept(false) : value(std::exchange(other.value, -1)) {}
  throwing_move& operator=(const throwing_move&) = default;
  int value;
};

/// Larger than a whole chunk of small events.
struct huge {
  std::array<std::uint32_t, 50'000> words;
};

template <class T>
bool is_aligned(const T& value) {
  return reinterpret_cast<std::uintptr_t>(&value) % alignof(T) == 0;
}

}  // namespace

TEST_CASE("a name has one type, and the mismatch names both", "[topic_types]") {
  manual_bus on;
  on.bus.topic<std::vector<int>>("robot.pose");
  CHECK(error_of([&] { on.bus.topic<double>("robot.pose"); }) == errc::type_mismatch);
  CHECK(error_of([&] { static_cast<void>(on.bus.subscribe<double>("robot.pose", [](double) {})); }) ==
        errc::type_mismatch);
  CHECK(error_of([&] { static_cast<void>(on.bus.inbox<double>("robot.pose")); }) == errc::type_mismatch);
  try {
    on.bus.topic<double>("robot.pose");
  } catch (const bus_error& error) {
    const std::string what = error.what();
    CHECK(what.find("robot.pose") != std::string::npos);
    CHECK(what.find("vector<int") != std::string::npos);
    CHECK(what.find("double") != std::string::npos);
  }
}

TEST_CASE("every subscriber reads the payload in place", "[topic_types]") {
  manual_bus on;
  auto topic = on.bus.topic<std::string>("t");
  std::vector<const std::string*> seen;
  const auto a = topic.subscribe([&](const std::string& s) { seen.push_back(&s); });
  const auto b = topic.subscribe([&](const event<std::string>& e) { seen.push_back(&*e); });
  topic.publish("text");
  on.run();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == seen[1]);
}

TEST_CASE("over-aligned payloads are aligned wherever a handler sees them", "[topic_types]") {
  manual_bus on;
  auto topic = on.bus.topic<over_aligned>("t", {.history = 2});
  std::vector<int> seen;
  bool aligned = true;
  const auto subscribed = topic.subscribe([&](const over_aligned& v) {
    seen.push_back(v.value);
    aligned = aligned && is_aligned(v);
  });
  std::vector<int> sent;
  for (int i = 0; i < 100; ++i) {
    topic.publish({i});
    if (i % 7 == 0) on.run();
    sent.push_back(i);
  }
  on.run();
  CHECK(seen == sent);
  CHECK(aligned);
  CHECK(is_aligned(**topic.latest()));
}

TEST_CASE("move-only payloads go through lanes, logs, replays and inboxes", "[topic_types]") {
  manual_bus on;
  auto topic = on.bus.topic<std::unique_ptr<int>>("t", {.history = 10, .lane = 2});
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](const std::unique_ptr<int>& p) { seen.push_back(*p); });
  auto out = topic.publisher();
  for (int i = 1; i <= 5; ++i) out.publish(std::make_unique<int>(i));
  on.run();
  topic.publish(std::make_unique<int>(6));
  on.run();
  CHECK(seen == std::vector{1, 2, 3, 4, 5, 6});
  auto in = topic.inbox({.from = replay::last(2)});
  int sum = 0;
  CHECK(in.poll([&](const event<std::unique_ptr<int>>& e) { sum += **e; }) == 2);
  CHECK(sum == 11);
}

TEST_CASE("a payload whose move may throw is boxed and keeps its value", "[topic_types]") {
  manual_bus on;
  auto topic = on.bus.topic<throwing_move>("t", {.lane = 3});
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](const throwing_move& v) { seen.push_back(v.value); });
  const throwing_move copied = 1;
  topic.publish(copied);
  topic.publish(throwing_move(2));
  const std::vector<throwing_move> batch{3, 4, 5, 6, 7, 8};
  topic.publish_all(batch);
  on.run();
  CHECK(seen == std::vector{1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("a payload larger than a chunk is one event like any other", "[topic_types]") {
  manual_bus on;
  auto topic = on.bus.topic<huge>("t", {.capacity = 4});
  std::vector<std::uint32_t> seen;
  const auto subscribed = topic.subscribe([&](const huge& h) { seen.push_back(h.words.front() + h.words.back()); });
  auto value = std::make_unique<huge>();
  for (std::uint32_t i = 1; i <= 10; ++i) {
    value->words.front() = i;
    value->words.back() = 100 * i;
    topic.publish(*value);
  }
  on.run();
  CHECK(seen == std::vector<std::uint32_t>{101, 202, 303, 404, 505, 606, 707, 808, 909, 1010});
}

TEST_CASE("a shared payload is shared and let go when it is read", "[topic_types]") {
  manual_bus on;
  using shared = std::shared_ptr<const std::string>;
  auto topic = on.bus.topic<shared>("t");
  const auto value = std::make_shared<const std::string>("text");
  const std::string* seen = nullptr;
  const auto subscribed = topic.subscribe([&](const shared& s) { seen = s.get(); });
  topic.publish(value);
  CHECK(value.use_count() == 2);
  on.run();
  CHECK(seen == value.get());
  CHECK(value.use_count() == 1);
}

TEST_CASE("a copy that throws while publishing leaves the topic as it was", "[topic_types]") {
  struct fragile {
    explicit fragile(int v) : value(v) {}
    fragile(const fragile& other) : value(other.value) {
      if (value < 0) throw std::runtime_error("no copy");
    }
    fragile(fragile&&) noexcept = default;
    int value;
  };
  manual_bus on;
  auto topic = on.bus.topic<fragile>("t", {.lane = 4, .spill = 2});
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](const fragile& f) { seen.push_back(f.value); });
  auto out = topic.publisher();
  const fragile good(1), bad(-1);
  CHECK_THROWS_AS(out.publish(bad), std::runtime_error);  // straight into the log
  out.publish(good);
  CHECK_THROWS_AS(out.publish(bad), std::runtime_error);  // into the lane
  CHECK_THROWS_AS(out.publish(bad, {{"key", "text"}}), std::runtime_error);
  out.publish(good);
  for (int i = 0; i < 3; ++i) out.publish(good);
  for (int i = 0; i < 5; ++i) CHECK_THROWS_AS(out.publish_async(bad), std::runtime_error);  // into the spill
  auto first = out.publish_async(good);
  auto second = out.publish_async(good);
  on.run();
  CHECK_NOTHROW(first.get());
  CHECK_NOTHROW(second.get());
  CHECK(seen.size() == 7);
}

TEMPLATE_TEST_CASE("a refused try_publish or publish_for has not moved from its argument", "[topic_types]", counted,
                   (basic_counted<false, 0>), (basic_counted<true, 4000>)) {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<TestType>("t", {.capacity = 1, .lane = 1});
  auto subscribed = topic.subscribe([](const TestType&) {});
  subscribed.pause();
  auto out = topic.publisher();
  int accepted = 0;
  while (!out.publish_for(TestType(in, 0), 1ms, {{"key", "text"}})) ++accepted;
  CHECK(accepted == 2);
  TestType mine(in, 42);
  CHECK(out.try_publish(std::move(mine)) == errc::would_block);
  CHECK(mine.value() == 42);
  CHECK(out.publish_for(std::move(mine), 10ms) == errc::timeout);
  CHECK(mine.value() == 42);
  topic.finish();
  CHECK(out.try_publish(std::move(mine)) == errc::finished);
  CHECK(mine.value() == 42);
  on.bus.abort();
  CHECK(topic.publish_for(std::move(mine), 10ms) == errc::closed);
  CHECK(mine.value() == 42);
}

TEMPLATE_TEST_CASE("every payload is destroyed once, whatever way it went", "[topic_types]", counted,
                   (basic_counted<false, 0>), (basic_counted<true, 4000>)) {
  census in;
  {
    manual_bus on;
    auto topic = on.bus.topic<TestType>("t", {.capacity = 8, .history = 5, .lane = 4, .spill = 8});
    const auto handled = topic.subscribe([](const TestType&) {});
    auto partly = topic.inbox();
    auto out = topic.publisher();
    for (int i = 0; i < 50; ++i) out.publish(TestType(in, i), {{"key", "text"}});
    const TestType copied(in, 50);
    const std::vector<TestType> batch(10, copied);
    out.publish_all(batch, {{"key", "text"}});
    on.run();
    partly.poll([](const TestType&) {}, 3);
    auto stopped = topic.subscribe([](const TestType&) {});
    stopped.pause();
    std::vector<std::future<void>> waiting;
    for (int i = 0; i < 25; ++i) waiting.push_back(out.publish_async(TestType(in, i), {{"key", "text"}}));
    on.run();
    CHECK(out.try_publish(TestType(in, 1), {{"key", "text"}}) == errc::would_block);
    on.bus.close(1s);  // with events left in the log, the lane and the spill
    CHECK(in.living() > 11);
  }
  CHECK(in.living() == 0);
}
