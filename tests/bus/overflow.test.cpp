#include <bus/overflow.hpp>

#include <thread>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/gate.hpp"

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

subscription_snapshot only(const manual_bus& on) { return on.bus.snapshot().subscriptions.at(0); }

}  // namespace

TEST_CASE("a full subscription drops the oldest and is told which, exactly", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  story told;
  auto subscription = topic.subscribe(told.handler(), {.overflow = overflow::drop_oldest, .capacity = 4});
  publish(on, topic, 1, 2);
  subscription.pause();
  publish(on, topic, 3, 12);
  subscription.resume();
  on.run();
  CHECK(told.lines() == lines{"1", "2", "lagged 6: 3 to 8", "9", "10", "11", "12"});
  publish(on, topic, 13, 13);
  CHECK(told.lines().back() == "13");
  const auto now = only(on);
  CHECK(now.offered == 13);
  CHECK(now.delivered == 7);
  CHECK(now.dropped == 6);
}

TEST_CASE("as many events as the capacity are not too many", "[overflow]") {
  const auto how = GENERATE(overflow::drop_oldest, overflow::disconnect);
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  story told;
  auto subscription = topic.subscribe(told.handler(), {.overflow = how, .capacity = 4});
  subscription.pause();
  publish(on, topic, 1, 4);
  subscription.resume();
  on.run();
  CHECK(told.lines() == lines{"1", "2", "3", "4"});
  CHECK(subscription.active());
}

TEST_CASE("a capacity of 0 is the topic's", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full", {.capacity = 3});
  story told;
  auto subscription = topic.subscribe(told.handler(), {.overflow = overflow::drop_oldest});
  subscription.pause();
  publish(on, topic, 1, 5);
  subscription.resume();
  on.run();
  CHECK(told.lines() == lines{"lagged 2: 1 to 2", "3", "4", "5"});
}

TEST_CASE("a handler that takes no notices is not told, and the loss is counted", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  int handled = 0;
  auto subscription =
      topic.subscribe([&](const int&) { ++handled; }, {.overflow = overflow::drop_oldest, .capacity = 2});
  subscription.pause();
  publish(on, topic, 1, 10);
  subscription.resume();
  on.run();
  CHECK(handled == 2);
  CHECK(only(on).dropped == 8);
}

TEST_CASE("latest keeps only the newest, counts what it skips and does not tell", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  story told;
  auto subscription = topic.subscribe(told.handler(), {.overflow = overflow::latest});
  publish(on, topic, 1, 1);
  subscription.pause();
  publish(on, topic, 2, 9);
  subscription.resume();
  on.run();
  CHECK(told.lines() == lines{"1", "9"});
  CHECK(only(on).dropped == 7);
}

TEST_CASE("latest means the newest whatever capacity says", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  auto in = topic.inbox({.overflow = overflow::latest, .capacity = 100});
  publish(on, topic, 1, 9);
  story told;
  CHECK(in.poll(told.handler()) == 1);
  CHECK(told.lines() == lines{"9"});
  CHECK(in.dropped() == 8);
}

TEST_CASE("disconnect ends the subscription and tells it so", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  story told;
  auto subscription = topic.subscribe(told.handler(), {.overflow = overflow::disconnect, .capacity = 4});
  publish(on, topic, 1, 1);
  subscription.pause();
  publish(on, topic, 2, 6);
  CHECK(subscription.active());
  subscription.resume();
  on.run();
  CHECK(told.lines() == lines{"1", "finished: disconnected"});
  CHECK_FALSE(subscription.active());
  publish(on, topic, 7, 9);
  CHECK(told.size() == 2);
  CHECK(on.topic("full")->subscribers == 0);
  const auto sums = on.bus.close(1s).totals;
  CHECK(sums.adds_up());
  CHECK(sums.abandoned_by_subscriptions >= 5);
}

TEST_CASE("disconnect ends an inbox", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full");
  auto in = topic.inbox({.overflow = overflow::disconnect, .capacity = 4});
  publish(on, topic, 1, 5);
  story told;
  CHECK(in.poll(told.handler()) == 0);
  CHECK(told.lines() == lines{"finished: disconnected"});
  CHECK(in.closed());
  CHECK_FALSE(in.next(1ms));
}

TEST_CASE("block stops the topic: a publisher runs ahead by lane and capacity, nothing is lost", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full", {.lane = 8});
  story told;
  auto subscription = topic.subscribe(told.handler(), {.overflow = overflow::block, .capacity = 4});
  subscription.pause();
  int accepted = 0;
  while (accepted < 100 && !topic.try_publish(accepted + 1)) {
    ++accepted;
    on.run();
  }
  CHECK(accepted == 12);
  CHECK(topic.try_publish(0) == errc::would_block);
  const auto before = on.engine->now();
  CHECK(topic.publish_for(0, 10ms) == errc::timeout);
  CHECK(on.engine->now() - before == 10ms);
  CHECK(on.topic("full")->appended == 4);
  subscription.resume();
  on.run();
  CHECK(told.lines() == lines{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"});
  CHECK_FALSE(topic.try_publish(13));
  CHECK(on.topic("full")->refused == 3);
}

TEST_CASE("a publisher that waits for a blocked topic goes on once there is room", "[overflow]") {
  gate held;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("full", {.lane = 2});
  auto handler = told.handler();
  auto subscription = topic.subscribe(
      [&](const event<int>& e) {
        if (*e == 1) held.pass();
        handler(e);
      },
      {.capacity = 2, .run_on = run_on::own_thread});
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  int accepted = 1;
  while (accepted < 4 && !topic.publish_for(accepted + 1, 20s)) ++accepted;
  CHECK(accepted == 4);
  CHECK(topic.publish_for(accepted + 1, 1ms) == errc::timeout);
  std::thread waits([&, next = accepted + 1] {
    for (int i = next; i <= 1000; ++i) topic.publish(i);
  });
  held.open();
  waits.join();
  REQUIRE(bus.flush(20s));
  REQUIRE(told.size() == 1000);
  CHECK(told.lines().back() == "1000");
}

TEST_CASE("an event in a handler's hands is not dropped, those behind it are", "[overflow]") {
  gate held;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("full", {.history = 1});
  auto tell = told.handler();
  auto subscription = topic.subscribe(overloaded{[&](const event<int>& e) {
                                                   if (*e == 1) held.pass();
                                                   tell(e);
                                                 },
                                                 [&](const lagged& l) { tell(l); }},
                                      {.overflow = overflow::drop_oldest, .capacity = 3});
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  for (int i = 2; i <= 10; ++i) topic.publish(i);
  REQUIRE(eventually([&] { return topic.latest()->sequence() == 10; }));
  held.open();
  REQUIRE(bus.flush(20s));
  CHECK(told.lines() == lines{"1", "lagged 6: 2 to 7", "8", "9", "10"});
}

TEST_CASE("an overflow in the middle of a batch drops from the middle", "[overflow]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("full", {.history = 1});
  story told;
  auto tell = told.handler();
  auto in = topic.inbox({.capacity = 4});
  publish(on, topic, 1, 4);
  const auto grows = overloaded{[&](const event<int>& e) {
                                  tell(e);
                                  if (*e != 2) return;
                                  for (int i = 5; i <= 9; ++i) topic.publish(i);
                                  static_cast<void>(topic.latest());  // has them appended
                                },
                                [&](const lagged& l) { tell(l); }};
  in.poll(grows);
  in.poll(grows);
  CHECK(told.lines() == lines{"1", "2", "lagged 3: 3 to 5", "6", "7", "8", "9"});
}

TEST_CASE("notices are exact under load: every sequence is either seen or told", "[overflow]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  std::uint64_t next = 1;
  std::uint64_t seen = 0;
  std::uint64_t lost = 0;
  bool exact = true;
  actorbus::bus bus;
  auto topic = bus.topic<int>("full", {.capacity = 16});
  auto subscription = topic.subscribe(overloaded{[&](const event<int>& e) {
                                                   exact = exact && e.sequence() == next;
                                                   next = e.sequence() + 1;
                                                   ++seen;
                                                 },
                                                 [&](const lagged& l) {
                                                   exact = exact && l.first == next && l.last - l.first + 1 == l.count;
                                                   next = l.last + 1;
                                                   lost += l.count;
                                                 }},
                                      {.overflow = overflow::drop_oldest, .run_on = where});
  std::thread other([&] {
    auto out = topic.publisher();
    for (int i = 0; i < 50'000; ++i) out.publish(i);
  });
  for (int i = 0; i < 50'000; ++i) topic.publish(i);
  other.join();
  REQUIRE(bus.flush(20s));
  const auto now = bus.snapshot().subscriptions.at(0);
  subscription.cancel();
  CHECK(exact);
  CHECK(seen + lost == 100'000);
  CHECK(now.dropped == lost);
  CHECK(now.delivered == seen);
}
