#include <bus/bus.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("handles and events may outlive the bus", "[close]") {
  auto bus = std::make_optional<actorbus::bus>();
  auto topic = bus->topic<std::string>("o", {.history = 10});
  auto out = topic.publisher();
  auto in = topic.inbox();
  auto s = topic.subscribe([](const std::string&) {});
  out.publish("first");
  auto kept = in.next(20s);
  auto newest = topic.latest();
  bus.reset();
  REQUIRE(kept);
  CHECK(**kept == "first");
  CHECK(kept->topic() == "o");
  REQUIRE(newest);
  CHECK(**newest == "first");
  CHECK(error_of([&] { out.publish("late"); }) == errc::closed);
  CHECK(topic.try_publish("late") == errc::closed);
  auto copy = topic;
  auto another = copy.publisher();
  CHECK(another.try_publish("late") == errc::closed);
  CHECK_FALSE(in.next());
  CHECK(in.closed());
  CHECK_FALSE(s.active());
  CHECK(error_of([&] { auto t = topic.subscribe([](const std::string&) {}); }) == errc::closed);
}

TEST_CASE("an inbox is readable to its end after the bus is gone", "[close]") {
  const bool on_pattern = GENERATE(false, true);
  auto bus = std::make_optional<actorbus::bus>();
  auto topic = bus->topic<int>("o.a");
  auto in = on_pattern ? bus->inbox<int>("o.*") : topic.inbox();
  for (int i = 1; i <= 2000; ++i) topic.publish(i);
  bus.reset();
  int expected = 0;
  for (const auto& e : in) {
    ++expected;
    REQUIRE(*e == expected);
  }
  CHECK(expected == 2000);
  CHECK(in.closed());
}

TEST_CASE("threads may outlive the bus and go on publishing and reading", "[close]") {
  for (std::size_t round = scaled(20); round != 0; --round) {
    auto bus = std::make_optional<actorbus::bus>();
    auto topic = bus->topic<int>("o", {.capacity = 16, .lane = 16});
    std::atomic<bool> stop{false};
    std::atomic<int> begun{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&, topic]() mutable {
        auto out = topic.publisher();
        ++begun;
        for (int i = 0; !stop; ++i) {
          static_cast<void>(i % 2 == 0 ? out.try_publish(i) : topic.try_publish(i));
        }
      });
      threads.emplace_back([&, in = topic.inbox()]() mutable {
        ++begun;
        while (in.next()) {
        }
      });
    }
    const auto s = topic.subscribe([](const int&) {});
    REQUIRE(eventually([&] { return begun == 4; }));
    bus.reset();
    stop = true;
    for (auto& each : threads) each.join();
    REQUIRE(topic.try_publish(1) == errc::closed);
  }
}

TEST_CASE("the bus may outlive the threads that used it", "[close]") {
  actorbus::bus bus;
  auto topic = bus.topic<int>("o");
  std::atomic<int> handled{0};
  subscription s;
  std::thread([&] { s = topic.subscribe([&](const int&) { ++handled; }); }).join();
  for (int i = 0; i < 20; ++i) {
    std::thread([&] { topic.publish(i); }).join();
  }
  REQUIRE(bus.flush(20s));
  CHECK(handled == 20);
}

TEST_CASE("every payload is destroyed with the bus, its handles and the events kept", "[close]") {
  census in;
  {
    std::optional<event<counted>> kept;
    {
      actorbus::bus bus;
      auto topic = bus.topic<counted>("o", {.history = 5});
      auto inbox = topic.inbox();
      const auto s = topic.subscribe([](const counted&) {});
      auto paused = topic.subscribe([](const counted&) {});
      auto pattern = bus.inbox<counted>(">");
      paused.pause();
      for (int i = 0; i < 100; ++i) topic.publish(counted(in, i));
      kept = inbox.next(20s);
      CHECK(in.living() > 0);
    }
    REQUIRE(kept);
    CHECK((*kept)->value() == 0);
    CHECK(in.living() > 0);
  }
  CHECK(in.living() == 0);
}

TEST_CASE("a bus that is assigned to is closed first", "[close]") {
  actorbus::bus bus(bus_options{.name = "one"});
  auto topic = bus.topic<int>("o");
  int handled = 0;
  const auto s = topic.subscribe([&](const int&) { ++handled; });
  for (int i = 0; i < 100; ++i) topic.publish(i);
  bus = actorbus::bus(bus_options{.name = "two"});
  CHECK(handled == 100);
  CHECK(topic.try_publish(1) == errc::closed);
  CHECK(bus.name() == "two");
  CHECK_FALSE(bus.topic<int>("o").try_publish(1));
}

TEST_CASE("a bus may be destroyed inside one of its own handlers", "[close]") {
  auto bus = std::make_unique<actorbus::bus>();
  auto topic = bus->topic<int>("o");
  std::promise<void> destroyed;
  auto done = destroyed.get_future();
  auto s = topic.subscribe([&](const int&) {
    bus.reset();
    destroyed.set_value();
  });
  topic.publish(1);
  REQUIRE(done.wait_for(20s) == std::future_status::ready);
  REQUIRE(eventually([&] { return topic.try_publish(1) == errc::closed; }));
  s.cancel();
}
