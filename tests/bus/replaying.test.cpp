// Subscriptions that begin in the past: what they get and what they are told.
#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

namespace {

void publish(manual_bus& on, topic<int>& to, int first, int last) {
  for (int i = first; i <= last; ++i) {
    to.publish(i);
    on.run();
  }
}

/// What a subscription that begins there is told at once.
lines told_from(manual_bus& on, topic<int>& of, replay from) {
  story told;
  auto subscription = of.subscribe(told.handler(), {.from = from});
  on.run();
  return told.lines();
}

}  // namespace

TEST_CASE("a replay gives exactly at most history events, whatever more the log still holds", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 3});
  auto paused = topic.subscribe([](const int&) {});
  paused.pause();  // so that the log holds everything
  publish(on, topic, 1, 10);
  CHECK(told_from(on, topic, replay::all()) == lines{"8", "9", "10", "caught up at 10"});
  CHECK(told_from(on, topic, replay::last(5)) == lines{"8", "9", "10", "caught up at 10"});
  CHECK(told_from(on, topic, replay::last(2)) == lines{"9", "10", "caught up at 10"});
  CHECK(told_from(on, topic, replay::after(5)) == lines{"lagged 2: 6 to 7", "8", "9", "10", "caught up at 10"});
  CHECK(told_from(on, topic, replay::since({})) == lines{"8", "9", "10", "caught up at 10"});
}

TEST_CASE("a topic without history replays nothing, and caught_up comes all the same", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past");
  publish(on, topic, 1, 3);
  CHECK(told_from(on, topic, replay::all()) == lines{"caught up at 0"});
  CHECK(told_from(on, topic, replay::last(2)) == lines{"caught up at 0"});
  CHECK(told_from(on, topic, replay::last(0)) == lines{"caught up at 0"});
  CHECK(told_from(on, topic, replay::after(3)) == lines{"caught up at 0"});
  CHECK(told_from(on, topic, replay::after(1)) == lines{"lagged 2: 2 to 3", "caught up at 0"});
}

TEST_CASE("live is told neither older events nor caught_up", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  publish(on, topic, 1, 3);
  story told;
  auto subscription = topic.subscribe(told.handler());
  publish(on, topic, 4, 5);
  CHECK(told.lines() == lines{"4", "5"});
}

TEST_CASE("after a sequence begins right behind it", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  CHECK(told_from(on, topic, replay::after(0)) == lines{"caught up at 0"});
  publish(on, topic, 1, 4);
  CHECK(told_from(on, topic, replay::after(0)) == lines{"1", "2", "3", "4", "caught up at 4"});
  CHECK(told_from(on, topic, replay::after(2)) == lines{"3", "4", "caught up at 4"});
  CHECK(told_from(on, topic, replay::after(4)) == lines{"caught up at 0"});
}

TEST_CASE("what was trimmed before replay::after reached it counts as dropped", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 3});
  publish(on, topic, 1, 10);
  auto in = topic.inbox({.from = replay::after(2)});
  on.run();
  story told;
  CHECK(in.poll(told.handler()) == 3);
  CHECK(told.lines() == lines{"lagged 5: 3 to 7", "8", "9", "10", "caught up at 10"});
  CHECK(in.dropped() == 5);
  const auto now = on.bus.snapshot().subscriptions.at(0);
  CHECK(now.offered == 8);
  CHECK(now.delivered == 3);
  CHECK(now.dropped == 5);
}

TEST_CASE("after a sequence not yet reached is an invalid argument", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  publish(on, topic, 1, 4);
  CHECK(error_of([&] { auto s = topic.subscribe([](const int&) {}, {.from = replay::after(5)}); }) ==
        errc::invalid_argument);
  CHECK(error_of([&] { auto in = topic.inbox({.from = replay::after(100)}); }) == errc::invalid_argument);
  CHECK(error_of([&] { auto in = on.bus.inbox<int>("yet.unknown", {.from = replay::after(1)}); }) ==
        errc::invalid_argument);
  CHECK(on.bus.snapshot().subscriptions.empty());
}

TEST_CASE("since compares append times", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  const auto start = on.engine->wall_now();
  for (int i = 1; i <= 5; ++i) {
    topic.publish(i);
    on.run();
    on.advance(1s);
  }
  CHECK(told_from(on, topic, replay::since(start + 2s)) == lines{"3", "4", "5", "caught up at 5"});
  CHECK(told_from(on, topic, replay::since(start + 2500ms)) == lines{"4", "5", "caught up at 5"});
  CHECK(told_from(on, topic, replay::since(start - 1h)) == lines{"1", "2", "3", "4", "5", "caught up at 5"});
  CHECK(told_from(on, topic, replay::since(start + 1h)) == lines{"caught up at 0"});
}

TEST_CASE("append times never decrease, whatever becomes of the clock", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  const auto start = on.engine->wall_now();
  publish(on, topic, 1, 2);
  on.engine->set_wall(start - 1h);
  publish(on, topic, 3, 4);
  on.engine->set_wall(start + 1h);
  publish(on, topic, 5, 5);
  auto in = topic.inbox({.from = replay::all()});
  on.run();
  std::chrono::system_clock::time_point last{};
  bool ordered = true;
  in.poll([&](const event<int>& e) {
    ordered = ordered && e.time() >= last;
    last = e.time();
  });
  CHECK(ordered);
  CHECK(told_from(on, topic, replay::since(start)) == lines{"1", "2", "3", "4", "5", "caught up at 5"});
  CHECK(told_from(on, topic, replay::since(start + 1ns)) == lines{"5", "caught up at 5"});
}

TEST_CASE("last on a pattern is so many a topic, and caught_up comes once for each", "[replaying]") {
  manual_bus on;
  auto a = on.bus.topic<int>("p.a", {.history = 10});
  auto b = on.bus.topic<int>("p.b", {.history = 10});
  publish(on, a, 1, 5);
  publish(on, b, 11, 13);
  story told;
  auto subscription = on.bus.subscribe<int>("p.*", told.handler_with_topics(), {.from = replay::last(2)});
  on.run();
  auto lines_now = told.lines();
  std::stable_sort(lines_now.begin(), lines_now.end(),
                   [](const auto& x, const auto& y) { return x.substr(0, 3) < y.substr(0, 3); });
  CHECK(lines_now == lines{"p.a 4", "p.a 5", "p.a caught up at 5", "p.b 12", "p.b 13", "p.b caught up at 3"});
  auto c = on.bus.topic<int>("p.c", {.history = 10});
  publish(on, c, 21, 21);
  REQUIRE(told.size() == 8);
  CHECK(told.lines()[6] == "p.c caught up at 0");
  CHECK(told.lines()[7] == "p.c 21");
}

TEST_CASE("what is being replayed is not lag", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 100});
  publish(on, topic, 1, 100);
  const auto how = GENERATE(overflow::block, overflow::drop_oldest, overflow::disconnect, overflow::latest);
  int handled = 0;
  int lost = 0;
  auto subscription = topic.subscribe(overloaded{[&](const int&) { ++handled; }, [&](const lagged&) { ++lost; }},
                                      {.from = replay::all(), .overflow = how, .capacity = 10});
  on.run();
  CHECK(handled == 100);
  CHECK(lost == 0);
  CHECK(subscription.active());
}

TEST_CASE("live events that come while a replay is read are lag, and overflow acts behind the replay", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 3});
  publish(on, topic, 1, 3);
  auto in = topic.inbox({.from = replay::all(), .capacity = 2});
  on.run();
  in.poll([](const int&) {}, 1);
  publish(on, topic, 4, 8);
  story told;
  in.poll(told.handler());
  CHECK(told.lines() == lines{"2", "3", "caught up at 3", "lagged 3: 4 to 6", "7", "8"});
}

TEST_CASE("a replay goes on where it was when the topic trims behind it", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 1000});
  publish(on, topic, 1, 1000);
  auto in = topic.inbox({.from = replay::all(), .capacity = 8192});
  on.run();
  CHECK(in.poll([](const int&) {}, 10) == 10);
  publish(on, topic, 1001, 4000);  // none of the first 3,000 is history any more
  int next = 11;
  bool in_order = true;
  in.poll([&](const int& i) { in_order = in_order && i == next++; });
  CHECK(in_order);
  CHECK(next == 4001);
}

TEST_CASE("a replay passes through where, and its events are counted", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  publish(on, topic, 1, 6);
  story told;
  auto subscription = topic.subscribe(
      told.handler(), {.from = replay::all(), .where = [](const metadata& m) { return m.sequence % 3 == 0; }});
  on.run();
  CHECK(told.lines() == lines{"3", "6", "caught up at 6"});
  const auto now = on.bus.snapshot().subscriptions.at(0);
  CHECK(now.offered == 6);
  CHECK(now.delivered == 2);
  CHECK(now.filtered == 4);
}

TEST_CASE("a finished topic is replayed, then told finished", "[replaying]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("past", {.history = 10});
  publish(on, topic, 1, 2);
  topic.finish();
  on.run();
  CHECK(told_from(on, topic, replay::all()) == lines{"1", "2", "caught up at 2", "finished: finished"});
  CHECK(told_from(on, topic, replay::live()) == lines{"finished: finished"});
}
