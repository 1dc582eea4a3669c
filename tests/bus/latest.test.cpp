// topic::latest, the newest event that is kept.
#include <atomic>
#include <thread>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;

TEST_CASE("latest is the newest event of those kept for replay", "[latest]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("state", {.history = 1});
  CHECK_FALSE(topic.latest());
  for (int i = 1; i <= 3; ++i) {
    topic.publish(i, {{"n", std::to_string(i)}});
    on.run();
    const auto newest = topic.latest();
    REQUIRE(newest);
    CHECK(**newest == i);
    CHECK(newest->sequence() == static_cast<std::uint64_t>(i));
    CHECK(newest->topic() == "state");
    CHECK(newest->headers().contains("n"));
  }
}

TEST_CASE("latest is empty on a topic without history", "[latest]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("state");
  topic.publish(1);
  on.run();
  CHECK_FALSE(topic.latest());
}

TEST_CASE("latest finds what its own thread has just published, also when the topic has not run since", "[latest]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("state", {.history = 1});
  auto subscription = topic.subscribe([](const int&) {});
  for (int i = 1; i <= 100; ++i) {
    topic.publish(i);
    const auto newest = topic.latest();
    REQUIRE(newest);
    CHECK(**newest == i);
  }
}

TEST_CASE("latest never goes back, whoever publishes", "[latest]") {
  const int rounds = static_cast<int>(scaled(20'000));
  actorbus::bus bus;
  auto topic = bus.topic<std::string>("state", {.history = 2});
  auto subscription = topic.subscribe([](const std::string&) {});
  std::atomic<bool> over{false};
  std::atomic<int> steps_back{0};
  std::thread looking([&] {
    std::uint64_t last = 0;
    while (!over) {
      const auto newest = topic.latest();
      if (!newest) continue;
      if (newest->sequence() < last || newest->value() != std::string(40, 'x')) ++steps_back;
      last = newest->sequence();
    }
  });
  std::thread other([&] {
    auto out = topic.publisher();
    for (int i = 0; i < rounds; ++i) out.publish(std::string(40, 'x'));
  });
  for (int i = 0; i < rounds; ++i) topic.publish(std::string(40, 'x'));
  other.join();
  over = true;
  looking.join();
  CHECK(steps_back == 0);
}

TEST_CASE("latest may be kept while the topic goes on and the bus ends", "[latest]") {
  std::optional<event<std::string>> kept;
  {
    manual_bus on;
    auto topic = on.bus.topic<std::string>("state", {.history = 1});
    topic.publish("one");
    kept = topic.latest();
    for (int i = 0; i < 5000; ++i) {
      topic.publish("more");
      on.run();
    }
  }
  REQUIRE(kept);
  CHECK(**kept == "one");
}

TEST_CASE("latest stays when the topic is finished, and when the bus is closed", "[latest]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("state", {.history = 1});
  topic.publish(1);
  topic.finish();
  on.run();
  REQUIRE(topic.latest());
  on.bus.close(std::chrono::seconds{1});
  REQUIRE(topic.latest());
  CHECK(*topic.latest().value() == 1);
}
