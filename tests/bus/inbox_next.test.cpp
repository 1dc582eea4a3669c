// inbox::next, and iterating over an inbox to its end.
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

void publish(manual_bus& on, topic<int>& to, int first, int last) {
  for (int i = first; i <= last; ++i) to.publish(i);
  on.run();
}

std::vector<int> poll_all(inbox<int>& in) {
  std::vector<int> seen;
  in.poll([&](const int& i) { seen.push_back(i); });
  return seen;
}

}  // namespace

TEST_CASE("next waits for an event and is empty on timeout", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox();
  const auto before = on.engine->now();
  CHECK_FALSE(in.next(5ms));
  CHECK(on.engine->now() - before == 5ms);
  CHECK_FALSE(in.closed());
  publish(on, topic, 1, 2);
  const auto one = in.next(5ms);
  REQUIRE(one);
  CHECK(**one == 1);
  CHECK(one->sequence() == 1);
  CHECK(**in.next() == 2);
  CHECK(on.engine->now() - before == 5ms);
}

TEST_CASE("next is woken by a publish of another thread", "[inbox]") {
  actorbus::bus bus;
  auto topic = bus.topic<int>("in");
  auto in = topic.inbox();
  auto back = bus.topic<int>("back");
  auto answers = back.inbox();
  std::thread other([&] {
    for (int i = 0; i < 500; ++i) {
      topic.publish(i);
      if (!answers.next(20s)) return;
    }
  });
  int received = 0;
  while (received < 500) {
    const auto e = in.next(20s);
    if (!e || **e != received) break;
    back.publish(received++);
  }
  if (received < 500) bus.abort();
  other.join();
  CHECK(received == 500);
}

TEST_CASE("an event from next stays readable after later ones and after the bus", "[inbox]") {
  std::optional<event<std::string>> kept;
  {
    manual_bus on;
    auto topic = on.bus.topic<std::string>("in");
    auto in = topic.inbox();
    topic.publish(std::string(100, 'x'));
    kept = in.next(1ms);
    for (int i = 0; i < 10'000; ++i) {
      topic.publish("y");
      in.poll([](const std::string&) {});
      on.run();
    }
  }
  REQUIRE(kept);
  CHECK(**kept == std::string(100, 'x'));
  CHECK(kept->topic() == "in");
}

TEST_CASE("an inbox that is read one by one reads on after its idle topic gave its memory back", "[inbox]") {
  manual_bus on({.reclaim_after = 1s});
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox();
  for (int i = 1; i <= 20; ++i) {
    publish(on, topic, i, i);
    const auto one = in.next(5ms);
    REQUIRE(one);
    CHECK(**one == i);
    on.advance(1h);
  }
}

TEST_CASE("iteration ends when the topic is finished", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox();
  publish(on, topic, 1, 3);
  topic.finish();
  std::vector<int> seen;
  for (const auto& e : in) seen.push_back(*e);
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(in.closed());
  CHECK_FALSE(in.next(5ms));
}

TEST_CASE("iteration ends when the bus closes, everything read", "[inbox]") {
  actorbus::bus bus;
  auto topic = bus.topic<int>("in");
  auto in = topic.inbox();
  std::thread other([&] {
    for (int i = 1; i <= 1000; ++i) topic.publish(i);
    bus.close(20s);
  });
  std::vector<int> seen;
  for (const auto& e : in) seen.push_back(*e);
  other.join();
  CHECK(seen.size() == 1000);
  CHECK(in.closed());
}

TEST_CASE("iteration over a pattern ends when the bus closes, not when one topic is finished", "[inbox]") {
  manual_bus on;
  auto a = on.bus.topic<int>("p.a");
  auto b = on.bus.topic<int>("p.b");
  auto in = on.bus.inbox<int>("p.*");
  a.publish(1);
  a.finish();
  on.run();
  CHECK(poll_all(in) == std::vector<int>{1});
  CHECK_FALSE(in.closed());
  b.publish(2);
  on.run();
  on.bus.close(1s);
  std::vector<int> seen;
  for (const auto& e : in) seen.push_back(*e);
  CHECK(seen == std::vector<int>{2});
  CHECK(in.closed());
}
