#include <bus/topic.hpp>

#include <string>
#include <thread>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

TEST_CASE("a topic is made when it is first asked for, and found afterwards", "[topic]") {
  manual_bus on;
  auto first = on.bus.topic<int>("robot.pose");
  auto second = on.bus.topic<int>("robot.pose");
  std::vector<int> seen;
  const auto subscribed = first.subscribe([&](int i) { seen.push_back(i); });
  first.publish(1);
  second.publish(2);
  on.run();
  CHECK(seen == std::vector{1, 2});
  CHECK(first.name() == "robot.pose");
  CHECK(on.bus.snapshot().topics.size() == 1);
}

TEST_CASE("a topic name is of dot-separated tokens and 1 to 255 bytes", "[topic]") {
  manual_bus on;
  for (const std::string name : {"a", "robot.pose", "a.b.c.d", "UPPER-case_1", "\xc3\xbc.\xc3\xa9", "a:b/c"}) {
    CAPTURE(name);
    CHECK(on.bus.topic<int>(name).name() == name);
  }
  CHECK(on.bus.topic<int>(std::string(255, 'n')).name().size() == 255);
}

TEST_CASE("anything else is errc::invalid_topic, before anything happens", "[topic]") {
  manual_bus on;
  const std::vector<std::string> names{"",      ".", ".a",  "a.",  "a..b",  "a b", "a\tb",      "a\nb",
                                       "*",     ">", "a.*", "a.>", "a.b*c", "a>",  {"a\0b", 3}, std::string(256, 'n'),
                                       "a.\x7f"};
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK(error_of([&] { static_cast<void>(on.bus.topic<int>(name)); }) == errc::invalid_topic);
  }
  CHECK(on.bus.snapshot().topics.empty());
}

TEST_CASE("a topic is not opened by a pattern", "[topic]") {
  manual_bus on;
  CHECK(error_of([&] { on.bus.topic<int>("robot.*").publish(1); }) == errc::invalid_topic);
}

TEST_CASE("a subscription on a name makes the topic", "[topic]") {
  manual_bus on;
  int seen = 0;
  const auto subscribed = on.bus.subscribe<int>("made.here", [&](int i) { seen = i; });
  CHECK(on.topic("made.here").has_value());
  on.bus.topic<int>("made.here").publish(7);
  on.run();
  CHECK(seen == 7);
}

TEST_CASE("an event carries its topic, its sequence from 1, its time and its headers", "[topic]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("robot.pose");
  const auto start = on.engine->wall_now();
  std::vector<event<int>> kept;
  const auto subscribed = poses.subscribe([&](const event<int>& e) { kept.push_back(e); });
  poses.publish(10);
  on.advance(3s);
  poses.publish(20, {{"source", "odometry"}, {"frame", "map"}});
  on.run();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].topic() == "robot.pose");
  CHECK(kept[0].sequence() == 1);
  CHECK(kept[0].time() == start);
  CHECK(kept[0].headers().empty());
  CHECK(kept[0].origin() == 0);
  CHECK(*kept[1] == 20);
  CHECK(kept[1].sequence() == 2);
  CHECK(kept[1].time() == start + 3s);
  CHECK(kept[1].headers() == headers{{"source", "odometry"}, {"frame", "map"}});
}

TEST_CASE("append times never decrease, whatever the system clock does", "[topic]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  std::vector<std::chrono::system_clock::time_point> times;
  const auto subscribed = topic.subscribe([&](const event<int>& e) { times.push_back(e.time()); });
  topic.publish(1);
  on.engine->set_wall(on.engine->wall_now() - 1h);
  topic.publish(2);
  on.run();
  on.engine->set_wall(on.engine->wall_now() + 2h);
  topic.publish(3);
  on.run();
  REQUIRE(times.size() == 3);
  CHECK(times[1] >= times[0]);
  CHECK(times[2] > times[1]);
}

TEST_CASE("the newest event is there without a subscription, if the topic keeps a history", "[topic]") {
  manual_bus on;
  auto kept = on.bus.topic<int>("kept", {.history = 1});
  auto plain = on.bus.topic<int>("plain");
  CHECK_FALSE(kept.latest().has_value());
  for (int i = 1; i <= 20; ++i) {
    kept.publish(i);
    plain.publish(i);
    REQUIRE(kept.latest().has_value());
    CHECK(**kept.latest() == i);
    CHECK(kept.latest()->sequence() == static_cast<std::uint64_t>(i));
  }
  CHECK_FALSE(plain.latest().has_value());
}

TEST_CASE("a handle may be copied, moved, assigned and outlive the bus", "[topic]") {
  std::optional<topic<int>> left;
  std::optional<publisher<int>> out;
  {
    manual_bus on;
    auto a = on.bus.topic<int>("a");
    auto b = on.bus.topic<int>("b");
    topic<int> copy = a;
    topic<int> moved = std::move(a);
    b = copy;
    CHECK(b.name() == "a");
    CHECK(moved.name() == "a");
    left = moved;
    out = moved.publisher();
  }
  CHECK(left->name() == "a");
  CHECK(left->try_publish(1) == errc::closed);
  CHECK(left->publish_for(1, 1s) == errc::closed);
  CHECK(error_of([&] { left->publish(1); }) == errc::closed);
  CHECK(error_of([&] { out->publish(1); }) == errc::closed);
  CHECK(error_of([&] { static_cast<void>(left->subscribe([](int) {})); }) == errc::closed);
  CHECK(error_of([&] { static_cast<void>(left->inbox()); }) == errc::closed);
}

TEST_CASE("many threads that ask for one name get one topic", "[topic]") {
  bus on;
  auto in = on.inbox<int>("shared.name");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&on, i] { on.topic<int>("shared.name").publish(i); });
  for (auto& each : threads) each.join();
  REQUIRE(on.flush(20s));
  int sum = 0;
  CHECK(in.poll([&](int i) { sum += i; }) == 8);
  CHECK(sum == 28);
  CHECK(on.snapshot().topics.size() == 1);
}
