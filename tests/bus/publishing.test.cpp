#include <atomic>
#include <future>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

namespace {

template <class T>
std::error_code outcome(std::future<T>& of) {
  return error_of([&] { of.get(); });
}

bool is_ready(const std::future<void>& future) { return future.wait_for(0s) == std::future_status::ready; }

}  // namespace

TEST_CASE("each of the publish calls takes an rvalue, a const reference and headers", "[publishing]") {
  manual_bus on;
  auto topic = on.bus.topic<std::string>("t");
  std::vector<std::string> seen;
  const auto subscribed = topic.subscribe(
      [&](const event<std::string>& e) { seen.push_back(*e + std::string(e.headers().get("k", "-"))); });
  const std::string text = "b";
  const headers with{{"k", "1"}};
  auto out = topic.publisher();
  auto call_all = [&](auto& to) {
    to.publish("a");
    to.publish(text);
    to.publish("a", with);
    to.publish(text, {{"k", "2"}});
    CHECK_FALSE(to.try_publish("a"));
    CHECK_FALSE(to.try_publish(text, with));
    CHECK_FALSE(to.publish_for("a", 1s));
    CHECK_FALSE(to.publish_for(text, 1s, {{"k", "3"}}));
    auto first = to.publish_async("a");
    auto second = to.publish_async(text, with);
    to.publish_all(std::vector{text, text}, with);
    on.run();
    CHECK_NOTHROW(first.get());
    CHECK_NOTHROW(second.get());
    CHECK(seen == std::vector<std::string>{"a-", "b-", "a1", "b2", "a-", "b1", "a-", "b3", "a-", "b1", "b1", "b1"});
    seen.clear();
  };
  call_all(topic);
  call_all(out);
}

TEST_CASE("a batch is published in one step, in order, each event with the same headers", "[publishing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 16, .lane = 8});
  std::vector<int> seen;
  std::size_t with_headers = 0;
  const auto subscribed = topic.subscribe([&](const event<int>& e) {
    seen.push_back(*e);
    with_headers += e.headers() == headers{{"batch", "7"}};
  });
  std::vector<int> batch(1000);
  std::iota(batch.begin(), batch.end(), 0);
  topic.publisher().publish_all(batch, {{"batch", "7"}});  // larger than lane and capacity
  on.run();
  CHECK(seen == batch);
  CHECK(with_headers == 1000);
  topic.publish_all(std::span<const int>{});
  on.run();
  CHECK(seen.size() == 1000);
}

TEST_CASE("a batch that is refused half-way tells how many were accepted", "[publishing]") {
  bus on;
  auto topic = on.topic<int>("t", {.capacity = 4, .lane = 2});
  auto subscribed = topic.subscribe([](int) {});
  subscribed.pause();
  std::promise<std::string> told;
  std::thread publishing([&] {
    try {
      topic.publisher().publish_all(std::vector<int>(10, 1));
      told.set_value("nothing");
    } catch (const bus_error& error) {
      told.set_value(error.code() == errc::finished ? error.what() : "another error");
    }
  });
  const bool full = eventually([&] { return on.snapshot().topics.at(0).accepted == 6; });
  topic.finish();
  publishing.join();
  CHECK(full);
  const std::string what = told.get_future().get();
  CAPTURE(what);
  CHECK(what.find("6 of 10") != std::string::npos);
}

TEST_CASE("an asynchronous publish completes once the event is accepted", "[publishing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 2, .lane = 2, .spill = 3});
  std::vector<int> seen;
  auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); });
  subscribed.pause();
  auto out = topic.publisher();
  std::vector<std::future<void>> futures;
  for (int i = 0; i < 10; ++i) {
    futures.push_back(out.publish_async(i));
    on.run();
  }
  for (std::size_t i = 0; i < 4; ++i) CHECK(is_ready(futures[i]));        // capacity and lane
  for (std::size_t i = 4; i < 7; ++i) CHECK_FALSE(is_ready(futures[i]));  // waiting, as many as the spill allows
  for (std::size_t i = 7; i < 10; ++i) CHECK(outcome(futures[i]) == errc::would_block);
  CHECK(out.try_publish(99) == errc::would_block);
  subscribed.resume();
  on.run();
  for (std::size_t i = 0; i < 7; ++i) {
    REQUIRE(is_ready(futures[i]));
    CHECK_NOTHROW(futures[i].get());
  }
  CHECK(seen == std::vector{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("an asynchronous publish that still waits when the bus closes fails with errc::closed", "[publishing]") {
  bus on;
  auto topic = on.topic<int>("t", {.capacity = 1, .lane = 1});
  std::promise<void> entered, leave;
  const auto subscribed = topic.subscribe([&](int i) {
    if (i != 0) return;
    entered.set_value();
    leave.get_future().wait_for(20s);
  });
  topic.publish(0);
  REQUIRE(entered.get_future().wait_for(20s) == std::future_status::ready);
  std::vector<std::future<void>> futures;
  for (int i = 1; i < 4; ++i) futures.push_back(topic.publish_async(i));
  const auto report = on.close(0s);
  CHECK_NOTHROW(futures[0].get());  // it was accepted by the lane, and is then abandoned
  CHECK(outcome(futures[1]) == errc::closed);
  CHECK(outcome(futures[2]) == errc::closed);
  auto late = topic.publish_async(5);
  CHECK(outcome(late) == errc::closed);
  leave.set_value();
  CHECK_FALSE(report.drained);
  CHECK(report.totals.accepted == report.totals.appended + report.totals.abandoned_by_topics);
}

TEST_CASE("asynchronous publishes that meet the end of the stream complete or fail, every one", "[publishing]") {
  const std::size_t rounds = scaled(200);
  std::size_t unknown = 0, lost = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    bus on({.workers = 1});
    auto topic = on.topic<std::string>("t", {.capacity = 64, .lane = 1});
    std::atomic<std::size_t> handled{0};
    const auto subscribed = topic.subscribe([&](const std::string&) { ++handled; });
    std::size_t accepted = 0;
    std::thread publishing([&] {
      auto out = topic.publisher();
      for (int i = 0; i < 200; ++i) {
        auto future = out.publish_async("text", {{"key", "value"}});
        try {
          future.get();
          ++accepted;
        } catch (const bus_error& error) {
          unknown += error.code() != errc::finished;
        } catch (const std::future_error&) {
          ++unknown;
        }
      }
    });
    eventually([&] { return handled > round % 100; });
    topic.finish();
    publishing.join();
    on.flush(20s);
    lost += accepted != handled;
  }
  CHECK(unknown == 0);
  CHECK(lost == 0);
}

TEST_CASE("after finish every publish is errc::finished, also on a new handle", "[publishing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  auto out = topic.publisher();
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); });
  out.publish(1);
  topic.publish(2);
  topic.finish();
  topic.finish();
  on.run();
  CHECK(error_of([&] { out.publish(3); }) == errc::finished);
  CHECK(error_of([&] { topic.publish(3); }) == errc::finished);
  CHECK(out.try_publish(3) == errc::finished);
  CHECK(topic.publish_for(3, 1s) == errc::finished);
  CHECK(error_of([&] { out.publish_all(std::vector{3}); }) == errc::finished);
  auto late = on.bus.topic<int>("t").publish_async(3);
  CHECK(outcome(late) == errc::finished);
  CHECK(seen == std::vector{1, 2});
  CHECK(on.topic("t")->refused == 6);
  CHECK(on.topic("t")->accepted == 2);
}

TEST_CASE("after close every publish is errc::closed", "[publishing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  auto out = topic.publisher();
  out.publish(1);
  on.bus.close(1s);
  CHECK(error_of([&] { out.publish(2); }) == errc::closed);
  CHECK(error_of([&] { topic.publish(2); }) == errc::closed);
  CHECK(out.try_publish(2) == errc::closed);
  CHECK(topic.try_publish(2) == errc::closed);
  CHECK(out.publish_for(2, 1s) == errc::closed);
  CHECK(error_of([&] { topic.publish_all(std::vector{2}); }) == errc::closed);
  auto late = out.publish_async(2);
  CHECK(outcome(late) == errc::closed);
  CHECK(error_of([&] { on.bus.topic<int>("another"); }) == errc::closed);
}

TEST_CASE("the events of each thread and of each publisher keep their order, from any number of threads",
          "[publishing]") {
  constexpr std::size_t threads = 4;
  const int each = static_cast<int>(scaled(5000));
  bus on;
  auto topic = on.topic<std::pair<std::size_t, int>>("t", {.capacity = 256, .lane = 64});
  std::vector<std::vector<int>> seen(2 * threads);
  std::vector<std::uint64_t> sequences;
  const auto subscribed = topic.subscribe([&](const event<std::pair<std::size_t, int>>& e) {
    seen[e->first].push_back(e->second);
    sequences.push_back(e.sequence());
  });
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      auto out = topic.publisher();
      for (int i = 0; i < each; ++i) {
        topic.publish({t, i});
        out.publish({threads + t, i});
      }
    });
  }
  for (auto& one : running) one.join();
  REQUIRE(on.flush(60s));
  std::vector<int> sent(static_cast<std::size_t>(each));
  std::iota(sent.begin(), sent.end(), 0);
  for (const auto& from : seen) CHECK(from == sent);
  std::vector<std::uint64_t> expected(2 * threads * sent.size());
  std::iota(expected.begin(), expected.end(), std::uint64_t{1});
  CHECK(sequences == expected);
}
