#include <bus/inbox.hpp>

#include <stdexcept>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
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

const auto nothing = [](const int&) {};

}  // namespace

TEST_CASE("poll calls with what is there now, at most so many", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox();
  CHECK(in.poll(nothing) == 0);
  publish(on, topic, 1, 10);
  std::vector<int> seen;
  const auto note = [&](const event<int>& e) { seen.push_back(*e); };
  CHECK(in.poll(note, 0) == 0);
  CHECK(in.poll(note, 4) == 4);
  CHECK(seen == std::vector<int>{1, 2, 3, 4});
  CHECK(in.poll(note, 64) == 6);
  CHECK(seen == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(in.poll(note, 64) == 0);
}

TEST_CASE("what a poll's handler publishes comes with the next poll", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in", {.history = 1});
  auto in = topic.inbox();
  topic.publish(1);
  const auto echo = [&](const int& i) {
    if (i >= 1000) return;
    topic.publish(i + 1);
    static_cast<void>(topic.latest());  // has it appended, as a busy topic would
  };
  CHECK(in.poll(echo) == 1);
  CHECK(in.poll(echo) == 1);
}

TEST_CASE("poll passes over what the inbox filters and calls for as many as asked", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox({.where = [](const metadata& m) { return m.sequence % 10 == 0; }});
  publish(on, topic, 1, 35);
  std::vector<int> seen;
  CHECK(in.poll([&](const int& i) { seen.push_back(i); }, 2) == 2);
  CHECK(seen == std::vector<int>{10, 20});
  CHECK(in.poll([&](const int& i) { seen.push_back(i); }, 2) == 1);
  CHECK(seen == std::vector<int>{10, 20, 30});
}

TEST_CASE("a throw from a poll callback reaches the caller, the event consumed", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox();
  publish(on, topic, 1, 4);
  std::vector<int> seen;
  const auto fragile = [&](const int& i) {
    if (i == 2) throw std::runtime_error("two");
    seen.push_back(i);
  };
  CHECK_THROWS_WITH(in.poll(fragile), "two");
  CHECK(in.poll(fragile) == 2);
  CHECK(seen == std::vector<int>{1, 3, 4});
  const auto now = on.bus.snapshot().subscriptions.at(0);
  CHECK(now.offered == 4);
  CHECK(now.delivered == 4);
  CHECK(now.failed == 1);
}

TEST_CASE("a throw from a poll callback makes room for the next event", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox({.overflow = overflow::block, .capacity = 1});
  publish(on, topic, 1, 3);
  for (int i = 1; i <= 3; ++i) {
    CHECK_THROWS_AS(in.poll([](const int& n) { throw n; }), int);
    on.run();
  }
  CHECK(in.poll(nothing) == 0);
}

TEST_CASE("a throw during a replay consumes the event too", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in", {.history = 10});
  publish(on, topic, 1, 3);
  auto in = topic.inbox({.from = replay::all()});
  on.run();
  const auto fragile = [](const int& i) {
    if (i == 1) throw std::runtime_error("one");
  };
  CHECK_THROWS(in.poll(fragile));
  CHECK(in.poll(fragile) == 2);
}

TEST_CASE("poll tells notices in their place to an overloaded", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in", {.history = 2});
  publish(on, topic, 1, 3);
  auto in = topic.inbox({.from = replay::all(), .capacity = 2});
  on.run();
  publish(on, topic, 4, 8);
  topic.finish();
  on.run();
  story told;
  CHECK(in.poll(told.handler()) == 4);
  CHECK(told.lines() ==
        story::lines_type{"2", "3", "caught up at 3", "lagged 3: 4 to 6", "7", "8", "finished: finished"});
}

TEST_CASE("a closed inbox reads nothing and stalls nobody", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in", {.capacity = 2, .lane = 2});
  auto in = topic.inbox({.overflow = overflow::block});
  publish(on, topic, 1, 4);
  in.close();
  CHECK(in.closed());
  CHECK(in.dropped() == 0);
  CHECK(in.poll(nothing) == 0);
  CHECK_FALSE(in.next(1ms));
  for (int i = 0; i < 100; ++i) {
    CHECK_FALSE(topic.try_publish(i));
    on.run();
  }
  CHECK(on.topic("in")->subscribers == 0);
}

TEST_CASE("an inbox stays readable to its end after the bus closed", "[inbox]") {
  inbox<int> in;
  {
    manual_bus on;
    auto topic = on.bus.topic<int>("in");
    in = topic.inbox();
    publish(on, topic, 1, 3);
    on.bus.close(1s);
    CHECK_FALSE(in.closed());
    CHECK(in.poll(nothing, 1) == 1);
  }
  CHECK_FALSE(in.closed());
  CHECK(poll_all(in) == std::vector<int>{2, 3});
  CHECK(in.closed());
  CHECK(in.poll(nothing) == 0);
}

TEST_CASE("an inbox that nobody polls stalls nothing and counts what it lost", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in", {.capacity = 16, .lane = 4});
  auto in = topic.inbox();
  for (int i = 1; i <= 100; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
  }
  const auto seen = poll_all(in);
  REQUIRE(seen.size() == 16);
  CHECK(seen.front() == 85);
  CHECK(seen.back() == 100);
  CHECK(in.dropped() == 84);
}

TEST_CASE("an inbox may be moved, and the moved one reads on", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("in");
  auto in = topic.inbox();
  publish(on, topic, 1, 2);
  in.poll(nothing, 1);
  auto moved = std::move(in);
  CHECK(poll_all(moved) == std::vector<int>{2});
  inbox<int> none;
  CHECK(none.closed());
  CHECK(none.dropped() == 0);
  CHECK_FALSE(none.next(1ms));
}
