#include <atomic>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <bus/publisher.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::eventually;
using testing::manual_bus;
using testing::scaled;

TEST_CASE("what a publisher left in its lane is delivered after it is gone", "[publisher_lane]") {
  manual_bus on;
  auto topic = on.bus.topic<std::string>("t", {.capacity = 4, .lane = 8});
  std::vector<std::string> seen;
  auto subscribed = topic.subscribe([&](const std::string& s) { seen.push_back(s); });
  subscribed.pause();
  std::vector<std::string> sent;
  {
    auto out = topic.publisher();
    for (int i = 0; i < 12; ++i) {
      sent.push_back(std::to_string(i));
      REQUIRE_FALSE(out.publish_for(sent.back(), 1ms));
    }
    CHECK(on.topic("t")->publishers == 1);
  }
  CHECK(on.topic("t")->publishers == 0);
  subscribed.resume();
  on.run();
  CHECK(seen == sent);
}

TEST_CASE("a publisher that moves keeps its lane and its order", "[publisher_lane]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 2});
  std::vector<int> seen;
  auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); });
  subscribed.pause();
  std::vector<int> sent(100);
  std::iota(sent.begin(), sent.end(), 0);
  publisher<int> a = topic.publisher();
  publisher<int> b;
  for (int i : sent) {
    a.publish(i);
    b = std::move(a);
    publisher<int> c = std::move(b);
    a = std::move(c);
  }
  CHECK(on.topic("t")->lanes == 1);
  CHECK(on.topic("t")->publishers == 1);
  subscribed.resume();
  on.run();
  CHECK(seen == sent);
}

TEST_CASE("a publisher carries its origin on every event", "[publisher_lane]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  const auto subscribed =
      topic.subscribe([&](const event<int>& e) { seen.emplace_back(e.origin(), e.origin_sequence()); });
  auto out = topic.publisher({.origin = 77});
  out.publish(1);
  out.publish_from(2, 5);
  CHECK_FALSE(out.try_publish_from(3, 6));
  topic.publish(4);
  on.run();
  CHECK(seen == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{77, 0}, {77, 5}, {77, 6}, {0, 0}});
}

TEST_CASE("what a topic refuses keeps its value and its headers, and goes as it was later", "[publisher_lane]") {
  manual_bus on;
  auto topic = on.bus.topic<std::string>("t", {.capacity = 1, .lane = 1});
  std::vector<std::pair<std::string, headers>> seen;
  auto subscribed = topic.subscribe([&](const event<std::string>& e) { seen.emplace_back(*e, e.headers()); });
  subscribed.pause();
  auto out = topic.publisher();
  std::string value;
  headers with;
  std::error_code refused;
  std::size_t accepted = 0;
  for (; accepted < 100; ++accepted) {
    value = "number " + std::to_string(accepted);
    with = {{"id", std::to_string(accepted)}};
    refused = out.publish_from_for(std::move(value), {9, accepted}, 1ms, std::move(with));
    if (refused) break;
  }
  REQUIRE(refused == errc::timeout);
  CHECK(out.try_publish_from(std::move(value), {9, accepted}, std::move(with)) == errc::would_block);
  CHECK(value == "number " + std::to_string(accepted));
  CHECK(with == headers{{"id", std::to_string(accepted)}});
  subscribed.resume();
  on.run();
  CHECK_FALSE(out.publish_from_for(std::move(value), {9, accepted}, 1ms, std::move(with)));
  on.run();
  REQUIRE(seen.size() == accepted + 1);
  CHECK(seen.back().first == "number " + std::to_string(accepted));
  CHECK(seen.back().second == headers{{"id", std::to_string(accepted)}});
}

TEST_CASE("a publisher outlives its bus, and a thread that published outlives it too", "[publisher_lane]") {
  auto on = std::make_optional<bus>();
  auto topic = on->topic<std::string>("t");
  std::atomic<int> handled{0};
  auto subscribed = topic.subscribe([&](const std::string&) { ++handled; });
  std::atomic<bool> published{false}, is_over{false};
  std::error_code from_publisher, from_topic;
  std::thread outliving([&] {
    auto out = topic.publisher();
    out.publish_all(std::vector<std::string>(10, "from a publisher"));
    for (int i = 0; i < 10; ++i) topic.publish("from the thread");
    published = true;
    eventually([&] { return is_over.load(); });
    from_publisher = out.try_publish("late");
    from_topic = topic.try_publish("late");
  });
  REQUIRE(eventually([&] { return published.load(); }));
  on.reset();
  is_over = true;
  outliving.join();
  CHECK(handled == 20);
  CHECK(from_publisher == errc::closed);
  CHECK(from_topic == errc::closed);
}

TEST_CASE("publishers come and go on many threads that end before the bus, and nothing is lost", "[publisher_lane]") {
  constexpr int threads = 8;
  const int rounds = static_cast<int>(scaled(300));
  bus on;
  auto topic = on.topic<int>("t", {.capacity = 64, .lane = 4});
  std::atomic<std::int64_t> count{0}, sum{0};
  std::vector<subscription> subscribed;
  for (int i = 0; i < 5; ++i) {
    subscribed.push_back(topic.subscribe([&](int v) {
      ++count;
      sum += v;
    }));
  }
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        auto out = topic.publisher();
        out.publish_all(std::vector{1, 2, 3});
        topic.publish(t);
      }
    });
  }
  for (auto& each : running) each.join();
  REQUIRE(on.flush(60s));
  CHECK(count == 5 * threads * rounds * 4);
  CHECK(sum == 5 * rounds * (threads * 6 + threads * (threads - 1) / 2));
}

TEST_CASE("a publisher whose idle lane is reclaimed under it loses, doubles and reorders nothing", "[publisher_lane]") {
  const int events = static_cast<int>(scaled(20'000));
  bus on({.reclaim_after = 1us});
  auto topic = on.topic<std::string>("t", {.lane = 4});
  std::atomic<int> next{0};
  std::atomic<bool> in_order{true};
  const auto subscribed = topic.subscribe([&](const event<std::string>& e) {
    if (*e != std::to_string(next) || e.headers().get("n") != *e) in_order = false;
    ++next;
  });
  std::vector<inbox<std::string>> more;  // with so many readers no publisher appends by itself: all goes through lanes
  for (int i = 0; i < 5; ++i) more.push_back(topic.inbox());
  auto out = topic.publisher();
  for (int i = 0; i < events; ++i) {
    const std::string text = std::to_string(i);
    switch (i % 3) {
      case 0:
        out.publish(std::string(text), {{"n", text}});
        break;
      case 1:
        out.publish_all(std::vector{text}, {{"n", text}});
        break;
      default:
        out.publish_async(text, {{"n", text}}).get();
        break;
    }
    if (i % 64 == 0) eventually([&] { return next > i; });
  }
  REQUIRE(on.flush(60s));
  CHECK(next == events);
  CHECK(in_order);
}

TEST_CASE("lanes are reclaimed when idle and empty, and made again on use", "[publisher_lane]") {
  manual_bus on({.reclaim_after = 1s});
  auto topic = on.bus.topic<int>("t");
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); });
  auto out = topic.publisher();
  out.publish_all(std::vector{1, 2, 3});
  topic.publish(4);
  on.run();
  CHECK(on.topic("t")->lanes >= 1);
  on.advance(5s);
  CHECK(on.topic("t")->lanes == 0);
  out.publish_all(std::vector{5, 6});
  on.run();
  CHECK(on.topic("t")->lanes == 1);
  CHECK(seen == std::vector{1, 2, 3, 4, 5, 6});
  CHECK(on.topic("t")->accepted == 6);
}

TEST_CASE("the lane of a publisher that is gone goes too, however busy its topic is", "[publisher_lane]") {
  manual_bus on({.reclaim_after = 1s});
  auto topic = on.bus.topic<int>("t");
  std::size_t seen = 0, most = 0;
  const auto subscribed = topic.subscribe([&](int) { ++seen; });
  for (int i = 0; i < 1000; ++i) {
    topic.publisher().publish_all(std::vector{i});
    on.advance(10ms);
    most = std::max(most, on.topic("t")->lanes);
  }
  CHECK(seen == 1000);
  CHECK(most < 10);
  CHECK(on.topic("t")->accepted == 1000);
}

TEST_CASE("a thread's lanes go when the thread has ended, however busy its topics are", "[publisher_lane]") {
  manual_bus on({.reclaim_after = 1s});
  auto topic = on.bus.topic<int>("t");
  std::size_t seen = 0, most = 0;
  const auto subscribed = topic.subscribe([&](int) { ++seen; });
  for (int i = 0; i < 100; ++i) {
    std::thread([&] { topic.publish_all(std::vector{i}); }).join();
    on.advance(10ms);
    most = std::max(most, on.topic("t")->lanes);
  }
  CHECK(seen == 100);
  CHECK(most < 10);
}
