#include <bus/subscription.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

auto every_way() { return GENERATE(run_on::pool, run_on::topic, run_on::own_thread); }

}  // namespace

TEST_CASE("a handler that cancels its own subscription is not called again", "[cancel]") {
  const auto where = every_way();
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  std::vector<int> seen;
  auto token = std::make_shared<int>(0);
  subscription s;
  s = topic.subscribe(
      [&, token](const int& i) {
        seen.push_back(i);
        if (i == 3) s.cancel();
      },
      {.run_on = where});
  for (int i = 1; i <= 10; ++i) topic.publish(i);
  on.run();
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(token.use_count() == 1);
}

TEST_CASE("a handler may destroy its own subscription, and is itself destroyed after the call", "[cancel]") {
  const auto where = every_way();
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  auto token = std::make_shared<int>(0);
  bool alive_in_call = false;
  std::optional<subscription> s;
  s = topic.subscribe(
      [&, token](const int&) {
        s.reset();
        alive_in_call = token.use_count() > 1;
      },
      {.run_on = where});
  topic.publish(1);
  topic.publish(2);
  on.run();
  CHECK(alive_in_call);
  CHECK(token.use_count() == 1);
}

TEST_CASE("a handler that cancels another subscription of its topic keeps it from the very event it handles",
          "[cancel]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  std::vector<subscription> all(2);
  int calls = 0;
  const auto first_come = [&](const int&) {
    ++calls;
    for (auto& each : all) each.cancel();
  };
  for (auto& each : all) each = topic.subscribe(first_come);
  topic.publish(1);
  topic.publish(2);
  on.run();
  CHECK(calls == 1);
}

TEST_CASE("two handlers that run at once may cancel each other", "[cancel]") {
  const auto where = GENERATE(run_on::pool, run_on::own_thread);
  actorbus::bus bus{bus_options{.workers = 2}};
  for (std::size_t round = scaled(200); round != 0; --round) {
    auto topic = bus.topic<int>("c");
    std::atomic<int> running{0};
    std::atomic<int> ended{0};
    subscription a;
    subscription b;
    const auto cancels = [&](subscription& other) {
      return [&](const int&) {
        ++running;
        static_cast<void>(eventually([&] { return running == 2; }));
        other.cancel();
        ++ended;
      };
    };
    a = topic.subscribe(cancels(b), {.run_on = where});
    b = topic.subscribe(cancels(a), {.run_on = where});
    topic.publish(1);
    REQUIRE(eventually([&] { return ended == 2; }));
    a.cancel();  // outside: a barrier
    b.cancel();
    topic.publish(2);
    REQUIRE(bus.flush(20s));
    REQUIRE(running == 2);
  }
}

TEST_CASE("handlers on one worker may cancel each other, in any order", "[cancel]") {
  const auto where = every_way();
  actorbus::bus bus{bus_options{.workers = 1}};
  auto topic = bus.topic<int>("c");
  for (std::size_t round = scaled(200); round != 0; --round) {
    std::atomic<int> calls{0};
    subscription a;
    subscription b;
    a = topic.subscribe([&](const int&) { ++calls, b.cancel(); }, {.run_on = where});
    b = topic.subscribe([&](const int&) { ++calls, a.cancel(); }, {.run_on = where});
    topic.publish(1);
    REQUIRE(eventually([&] { return !a.active() || !b.active(); }));
    a.cancel();
    b.cancel();
    REQUIRE(calls >= 1);
    REQUIRE(calls <= 2);
  }
}

TEST_CASE("a handler cancels its own subscription while another thread cancels it too", "[cancel]") {
  const auto where = every_way();
  actorbus::bus bus;
  auto topic = bus.topic<int>("c");
  for (std::size_t round = scaled(300); round != 0; --round) {
    std::atomic<bool> entered{false};
    std::atomic<bool> after{false};
    std::atomic<bool> wrong{false};
    subscription s;
    s = topic.subscribe(
        [&](const int&) {
          if (after) wrong = true;
          entered = true;
          s.cancel();
        },
        {.run_on = where});
    topic.publish(1);
    topic.publish(2);
    if (round % 2 == 0) REQUIRE(eventually([&] { return entered.load(); }));
    s.cancel();
    after = true;
    REQUIRE_FALSE(wrong);
  }
}

TEST_CASE("callables that hold each other's subscriptions are destroyed without waiting for each other", "[cancel]") {
  recording_logger log;
  actorbus::bus bus{bus_options{.workers = 2, .logger = log.logger()}};
  auto topic = bus.topic<int>("c");
  for (std::size_t round = scaled(200); round != 0; --round) {
    std::atomic<int> left{2};
    struct counts_down {
      explicit counts_down(std::atomic<int>& count) : left(count) {}
      std::atomic<int>& left;
      std::shared_ptr<subscription> other = std::make_shared<subscription>();
      ~counts_down() { --left; }
    };
    auto first = std::make_shared<counts_down>(left);
    auto second = std::make_shared<counts_down>(left);
    auto a =
        topic.subscribe([first](const int&) { throw std::runtime_error("ends it"); }, {.on_error = on_error::cancel()});
    auto b = topic.subscribe([second](const int&) { throw std::runtime_error("ends it"); },
                             {.on_error = on_error::cancel()});
    *first->other = std::move(b);
    *second->other = std::move(a);
    first.reset();
    second.reset();
    topic.publish(1);
    REQUIRE(eventually([&] { return left == 0; }));
  }
}

TEST_CASE("an inbox may be closed, or destroyed, by the very callback that polls it", "[cancel]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  for (const bool at_the_end : {false, true}) {
    auto in = std::make_optional(topic.inbox());
    int calls = 0;
    topic.publish(1);
    topic.publish(2);
    if (at_the_end) topic.finish();
    in->poll(overloaded{[&](const int&) {
                          ++calls;
                          if (!at_the_end) in.reset();
                        },
                        [&](const finished&) { in.reset(); }});
    CHECK(calls == (at_the_end ? 2 : 1));
    CHECK_FALSE(in.has_value());
  }
  CHECK(on.topic("c")->subscribers == 0);
}
