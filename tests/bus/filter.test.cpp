// `where`, on everything that has one.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

namespace {

using numbers = std::vector<int>;

auto into(numbers& seen) {
  return [&seen](const int& i) { seen.push_back(i); };
}

bool even_sequence(const metadata& m) { return m.sequence % 2 == 0; }

subscription_snapshot only_one(const manual_bus& on) {
  const auto all = on.bus.snapshot().subscriptions;
  REQUIRE(all.size() == 1);
  return all.front();
}

/// Throws for the second event, the first `times` times.
filter failing_at_two(int times) {
  return [left = std::make_shared<int>(times)](const metadata& m) {
    if (m.sequence == 2 && *left > 0 && (*left)-- > 0) throw std::runtime_error("no filter today");
    return true;
  };
}

}  // namespace

TEST_CASE("where sees the metadata of each event before the handler sees its payload", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("robot.pose");
  std::vector<std::string> story;
  const filter where = [&](const metadata& m) {
    story.push_back("where " + std::string(m.topic) + ' ' + std::to_string(m.sequence) + ' ' +
                    std::string(m.headers.get("source", "-")) + ' ' + std::to_string(m.origin));
    CHECK(m.time == on.engine->wall_now());
    return m.headers.contains("source");
  };
  const auto subscribed =
      poses.subscribe([&](int i) { story.push_back("handler " + std::to_string(i)); }, {.where = where});
  poses.publish(10);
  poses.publish(20, {{"source", "odometry"}});
  poses.publisher({.origin = 7}).publish(30, {{"source", "map"}});
  on.run();
  CHECK(story == std::vector<std::string>{"where robot.pose 1 - 0", "where robot.pose 2 odometry 0", "handler 20",
                                          "where robot.pose 3 map 7", "handler 30"});
}

TEST_CASE("where keeps a bridge from what it published itself", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses");
  numbers seen;
  const auto subscribed = poses.subscribe(into(seen), {.where = [](const metadata& m) { return m.origin != 7; }});
  auto own = poses.publisher({.origin = 7});
  own.publish(1);
  poses.publish(2);
  own.publish(3);
  on.run();
  CHECK(seen == numbers{2});
}

TEST_CASE("what is filtered is counted, and destroyed like what is handled", "[filter]") {
  testing::census living;
  manual_bus on;
  auto poses = on.bus.topic<testing::counted>("poses");
  int calls = 0;
  const auto subscribed = poses.subscribe([&](const testing::counted&) { ++calls; }, {.where = even_sequence});
  for (int i = 0; i < 101; ++i) poses.publish(testing::counted(living, i));
  on.run();
  const auto now = only_one(on);
  CHECK(now.offered == 101);
  CHECK(now.filtered == 51);
  CHECK(now.delivered == 50);
  CHECK(now.lag == 0);
  CHECK(calls == 50);
  CHECK(living.living() == 0);
  CHECK(on.bus.close(1s).totals.adds_up());
}

TEST_CASE("where applies to the history as to what is live, and caught_up still comes", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses", {.history = 10});
  for (int i = 1; i <= 10; ++i) poses.publish(i);
  numbers seen;
  const auto subscribed = poses.subscribe(
      overloaded{[&](const int& i) { seen.push_back(i); }, [&](const caught_up&) { seen.push_back(0); }},
      {.from = replay::last(5), .where = even_sequence});
  for (int i = 11; i <= 14; ++i) poses.publish(i);
  on.run();
  CHECK(seen == numbers{6, 8, 10, 0, 12, 14});
  CHECK(only_one(on).filtered == 4);
}

TEST_CASE("where applies to every topic of a pattern", "[filter]") {
  manual_bus on;
  std::vector<std::string> seen;
  const filter where = [](const metadata& m) { return m.topic != "robot.noise"; };
  const auto subscribed =
      on.bus.subscribe<int>("robot.*", [&](const event<int>& e) { seen.emplace_back(e.topic()); }, {.where = where});
  for (const auto* name : {"robot.pose", "robot.noise", "robot.arm"}) {
    on.bus.topic<int>(name).publish(1);
    on.run();
  }
  CHECK(seen == std::vector<std::string>{"robot.pose", "robot.arm"});
}

TEST_CASE("an inbox has where too: poll and next find and count only what it keeps", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses");
  auto in = poses.inbox({.where = even_sequence});
  for (int i = 1; i <= 9; ++i) poses.publish(i);
  on.run();
  numbers seen;
  CHECK(in.poll(into(seen), 2) == 2);
  CHECK(seen == numbers{2, 4});
  CHECK(in.poll(into(seen)) == 2);
  CHECK(seen == numbers{2, 4, 6, 8});
  for (int i = 10; i <= 12; ++i) poses.publish(i);
  CHECK(**in.next(0ns) == 10);
  CHECK(**in.next(0ns) == 12);
  CHECK_FALSE(in.next(0ns).has_value());
  CHECK(only_one(on).filtered == 6);
}

TEST_CASE("a filter that throws fails the event, and the next one follows", "[filter]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses");
  numbers seen;
  const auto subscribed = poses.subscribe(into(seen), {.where = failing_at_two(1)});
  for (int i = 1; i <= 3; ++i) poses.publish(i);
  on.run();
  CHECK(seen == numbers{1, 3});
  CHECK(subscribed.active());
  CHECK(only_one(on).failed == 1);
  CHECK(only_one(on).delivered == 3);
  CHECK(log.text().find("no filter today") != std::string::npos);
}

TEST_CASE("a filter that throws is asked again as on_error says", "[filter]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses");
  numbers seen;
  const auto subscribed =
      poses.subscribe(into(seen), {.where = failing_at_two(2), .on_error = on_error::retry(3, 10ms)});
  for (int i = 1; i <= 3; ++i) poses.publish(i);
  on.advance(30ms - 1ns);
  CHECK(seen == numbers{1});
  on.advance(1ns);
  CHECK(seen == numbers{1, 2, 3});
  CHECK(only_one(on).retries == 2);
  CHECK(only_one(on).failed == 0);
}

TEST_CASE("a filter that throws can end its subscription, or bury the event", "[filter]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses");
  auto dead = on.bus.topic<int>("poses.dead").inbox();
  numbers first, second;
  const auto ends = poses.subscribe(into(first), {.where = failing_at_two(1), .on_error = on_error::cancel()});
  const auto buries =
      poses.subscribe(into(second), {.where = failing_at_two(1), .on_error = on_error::dead_letter("poses.dead")});
  for (int i = 1; i <= 3; ++i) poses.publish(i);
  on.run();
  CHECK(first == numbers{1});
  CHECK_FALSE(ends.active());
  CHECK(second == numbers{1, 3});
  numbers letters;
  dead.poll(into(letters));
  CHECK(letters == numbers{2});
}

TEST_CASE("the filter of a group that throws follows its first member's on_error", "[filter]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto poses = on.bus.topic<int>("poses");
  numbers seen;
  const auto member =
      poses.subscribe(into(seen), {.group = "g", .where = failing_at_two(1), .on_error = on_error::retry(1, 10ms)});
  for (int i = 1; i <= 3; ++i) poses.publish(i);
  on.run();
  CHECK(seen == numbers{1});
  on.advance(10ms);
  CHECK(seen == numbers{1, 2, 3});
  CHECK(only_one(on).failed == 0);
}

TEST_CASE("an inbox's filter that throws reaches the caller of poll, the event consumed", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses", {.lane = 1});
  auto in = poses.inbox({.overflow = overflow::block, .capacity = 2, .where = failing_at_two(1)});
  int published = 0;
  while (!poses.try_publish(published + 1)) {
    ++published;
    on.run();
  }
  numbers seen;
  CHECK(in.poll(into(seen), 1) == 1);
  CHECK_THROWS_WITH(in.poll(into(seen), 1), "no filter today");
  on.run();
  CHECK_FALSE(poses.try_publish(++published));  // there is room again
  on.run();
  while (in.poll(into(seen)) != 0) on.run();
  REQUIRE(seen.size() == static_cast<std::size_t>(published) - 1);
  CHECK(seen.front() == 1);
  CHECK(seen.at(1) == 3);
  CHECK(seen.back() == published);
}

TEST_CASE("a filter is a handler: it may publish and never waits", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses");
  auto echoes = on.bus.topic<int>("echoes", {.capacity = 1, .lane = 1, .spill = 10});
  numbers echoed;
  auto echo = echoes.subscribe(into(echoed));
  echo.pause();
  std::vector<std::error_code> refused;
  const auto subscribed = poses.subscribe([](int) {}, {.where = [&](const metadata& m) {
                                            echoes.publish(static_cast<int>(m.sequence));
                                            refused.push_back(error_of([&] { static_cast<void>(on.bus.flush(0ns)); }));
                                            return false;
                                          }});
  for (int i = 1; i <= 5; ++i) poses.publish(i);
  on.run();
  CHECK(refused == std::vector<std::error_code>(5, errc::in_handler));
  echo.resume();
  on.run();
  CHECK(echoed == numbers{1, 2, 3, 4, 5});
}

TEST_CASE("where is called under its owner's lock, and never once the owner has expired", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses");
  auto owner = std::make_shared<int>();
  const std::weak_ptr<int> watched = owner;
  int calls = 0, unlocked = 0;
  const filter where = [&](const metadata&) { return ++calls, unlocked += watched.use_count() < 2, false; };
  const auto s = poses.subscribe([](int) {}, {.where = where, .owner = owner});
  poses.publish(1);
  on.run();
  CHECK(calls == 1);
  CHECK(unlocked == 0);
  owner.reset();
  poses.publish(2);
  on.run();
  CHECK(calls == 1);
  CHECK_FALSE(s.active());
}

TEST_CASE("a handler whose owner has expired is told no notice either", "[filter]") {
  manual_bus on;
  auto poses = on.bus.topic<int>("poses", {.history = 1});
  auto owner = std::make_shared<int>();
  int told = 0;
  const auto handler =
      overloaded{[](const int&) {}, [&](const caught_up&) { ++told; }, [&](const finished&) { ++told; }};
  const auto a = poses.subscribe(handler, {.from = replay::all(), .owner = owner});
  const auto b = poses.subscribe(handler, {.group = "g", .owner = owner});
  owner.reset();
  poses.finish();
  on.run();
  CHECK(told == 0);
  CHECK_FALSE(a.active());
  CHECK_FALSE(b.active());
}
