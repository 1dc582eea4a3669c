#include <bus/subscription.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = story::lines_type;

}  // namespace

TEST_CASE("a subscription lasts as long as its handle", "[subscription]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("s");
  story told;
  {
    const subscription s = topic.subscribe(told.handler());
    topic.publish(1);
    on.run();
    CHECK(s.active());
  }
  topic.publish(2);
  on.run();
  CHECK(told.lines() == lines{"1"});
  CHECK(on.bus.snapshot().subscriptions.empty());
}

TEST_CASE("a subscription may be moved, and the moved one calls on", "[subscription]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("s");
  story told;
  subscription first = topic.subscribe(told.handler());
  topic.publish(1);
  subscription second = std::move(first);
  topic.publish(2);
  on.run();
  CHECK(told.lines() == lines{"1", "2"});
  CHECK_FALSE(first.active());  // NOLINT: a handle that was moved from is one of nothing
  CHECK(second.active());
  first.cancel();
  CHECK(second.active());
}

TEST_CASE("assigning a subscription cancels what the handle held before", "[subscription]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("s");
  story a;
  story b;
  subscription s = topic.subscribe(a.handler());
  s = topic.subscribe(b.handler());
  topic.publish(1);
  on.run();
  CHECK(a.lines().empty());
  CHECK(b.lines() == lines{"1"});
  auto& same = s;
  s = std::move(same);
  CHECK(s.active());
  s = subscription();
  CHECK_FALSE(s.active());
}

TEST_CASE("a subscription of nothing is not active, and every call does nothing", "[subscription]") {
  subscription none;
  none.pause();
  none.resume();
  none.cancel();
  CHECK_FALSE(none.active());
  CHECK_FALSE(none.paused());
}

TEST_CASE("a paused subscription is active and gets its events when it is resumed", "[subscription]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("s");
  story told;
  subscription s = topic.subscribe(told.handler(), {.run_on = where});
  s.pause();
  CHECK(s.paused());
  CHECK(s.active());
  for (int i = 1; i <= 3; ++i) topic.publish(i);
  on.run();
  CHECK(told.lines().empty());
  s.resume();
  CHECK_FALSE(s.paused());
  on.run();
  CHECK(told.lines() == lines{"1", "2", "3"});
}

TEST_CASE("pausing twice needs one resume, and resuming what is not paused does nothing", "[subscription]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("s");
  story told;
  subscription s = topic.subscribe(told.handler());
  s.resume();
  s.pause();
  s.pause();
  s.resume();
  topic.publish(1);
  on.run();
  CHECK(told.lines() == lines{"1"});
}

TEST_CASE("a handler that pauses its own subscription is the last to be called until it is resumed", "[subscription]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("s");
  std::vector<int> seen;
  subscription s;
  s = topic.subscribe(
      [&](const int& i) {
        seen.push_back(i);
        if (i == 2) s.pause();
      },
      {.run_on = where});
  for (int i = 1; i <= 4; ++i) topic.publish(i);
  on.run();
  CHECK(seen == std::vector<int>{1, 2});
  s.resume();
  on.run();
  CHECK(seen == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a paused subscription of block sooner or later stops the topic, and its resume lets it go on",
          "[subscription]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("s", {.capacity = 4, .lane = 2});
  story told;
  subscription s = topic.subscribe(told.handler());
  s.pause();
  int accepted = 0;
  while (accepted < 100 && !topic.try_publish(accepted + 1)) {
    ++accepted;
    on.run();
  }
  CHECK(accepted == 6);
  s.resume();
  on.run();
  CHECK(told.size() == 6);
  CHECK_FALSE(topic.try_publish(7));
}

TEST_CASE("pause does not lose a retry, nor does a retry resume what is paused", "[subscription]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("s");
  int calls = 0;
  subscription s = topic.subscribe(
      [&](const int&) {
        if (++calls == 1) throw std::runtime_error("not yet");
      },
      {.on_error = on_error::retry(1, 10ms)});
  topic.publish(1);
  on.run();
  s.pause();
  on.advance(1s);
  CHECK(calls == 1);
  s.resume();
  on.run();
  CHECK(calls == 2);
}

TEST_CASE("resuming during the back-off of a retry does not shorten it", "[subscription]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("s");
  int calls = 0;
  subscription s = topic.subscribe(
      [&](const int&) {
        if (++calls == 1) throw std::runtime_error("not yet");
      },
      {.on_error = on_error::retry(1, 10ms)});
  topic.publish(1);
  on.run();
  s.pause();
  s.resume();
  on.run();
  CHECK(calls == 1);
  on.advance(10ms);
  CHECK(calls == 2);
}

TEST_CASE("a subscription that ended is not active: by its topic, its overflow, its on_error, its owner or the bus",
          "[subscription]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("s", {.capacity = 4});
  auto other = on.bus.topic<int>("other");
  auto owner = std::make_shared<int>(0);
  const auto nothing = [](const int&) {};
  const subscription by_topic = topic.subscribe(nothing);
  const subscription by_error =
      other.subscribe([](const int&) { throw std::runtime_error("no"); }, {.on_error = on_error::cancel()});
  const subscription by_owner = other.subscribe(nothing, {.owner = owner});
  const subscription by_bus = other.subscribe(nothing);
  subscription by_overflow = topic.subscribe(nothing, {.overflow = overflow::disconnect});
  by_overflow.pause();
  owner.reset();
  other.publish(1);
  for (int i = 1; i <= 10; ++i) topic.publish(i);
  topic.finish();
  on.run();
  by_overflow.resume();
  on.run();
  CHECK_FALSE(by_topic.active());
  CHECK_FALSE(by_overflow.active());
  CHECK_FALSE(by_error.active());
  CHECK_FALSE(by_owner.active());
  CHECK(by_bus.active());
  on.bus.close(1s);
  CHECK_FALSE(by_bus.active());
}

TEST_CASE("a subscription on a pattern stays active when one of its topics is finished", "[subscription]") {
  manual_bus on;
  auto a = on.bus.topic<int>("p.a");
  auto b = on.bus.topic<int>("p.b");
  story told;
  const subscription s = on.bus.subscribe<int>("p.*", told.handler_with_topics());
  a.publish(1);
  a.finish();
  on.run();
  b.publish(2);
  on.run();
  CHECK(s.active());
  CHECK(told.lines() == lines{"p.a 1", "p.a finished: finished", "p.b 2"});
}

TEST_CASE("a subscription may outlive its bus", "[subscription]") {
  auto on = std::make_optional<manual_bus>();
  const auto kept = on->bus.topic<int>("s");
  auto topic = kept;
  subscription a = topic.subscribe([](const int&) {});
  subscription b = topic.subscribe([](const int&) {});
  on.reset();
  a.pause();
  a.resume();
  a.cancel();
  CHECK_FALSE(a.active());
  CHECK_FALSE(b.active());
}
