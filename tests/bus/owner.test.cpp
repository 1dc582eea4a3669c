#include <bus/subscriber.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("no call once the owner has expired, and the subscription ends", "[owner]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("o");
  auto owner = std::make_shared<int>(0);
  story told;
  const subscription s = topic.subscribe(told.handler(), {.run_on = where, .owner = owner});
  topic.publish(1);
  on.run();
  owner.reset();
  topic.publish(2);
  on.run();
  CHECK(told.lines() == story::lines_type{"1"});
  CHECK_FALSE(s.active());
  CHECK(on.topic("o")->subscribers == 0);
}

TEST_CASE("an owner that had expired before the subscription began is called never", "[owner]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("o");
  story told;
  std::weak_ptr<int> gone = std::make_shared<int>(0);
  const subscription s = topic.subscribe(told.handler(), {.owner = gone});
  topic.publish(1);
  on.run();
  CHECK(told.lines().empty());
  CHECK_FALSE(s.active());
}

TEST_CASE("a subscription without an owner has none to expire", "[owner]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("o");
  story told;
  const subscription s = topic.subscribe(told.handler(), {.owner = std::weak_ptr<void>{}});
  topic.publish(1);
  on.run();
  CHECK(told.lines() == story::lines_type{"1"});
}

TEST_CASE("the owner is locked around each call, so that the object of a handler cannot die under it", "[owner]") {
  struct object {
    std::atomic<bool> alive{true};
    ~object() { alive = false; }
    bool is_alive() const { return alive; }
  };
  actorbus::bus bus;
  auto topic = bus.topic<int>("o");
  for (std::size_t round = scaled(300); round != 0; --round) {
    auto owner = std::make_shared<object>();
    std::atomic<std::size_t> calls{0};
    std::atomic<bool> died{false};
    auto s = topic.subscribe(
        [&calls, &died, raw = owner.get()](const int&) {
          if (!raw->is_alive()) died = true;
          ++calls;
          if (!raw->is_alive()) died = true;
        },
        {.owner = owner});
    std::thread publishing([&] {
      for (int i = 0; i < 200; ++i) topic.publish(i);
    });
    REQUIRE(eventually([&] { return calls != 0; }));
    owner.reset();
    publishing.join();
    s.cancel();
    REQUIRE_FALSE(died);
  }
}

TEST_CASE("between calls the owner is not held", "[owner]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("o");
  auto owner = std::make_shared<int>(0);
  long during = 0;
  const subscription s = topic.subscribe([&](const int&) { during = owner.use_count(); }, {.owner = owner});
  topic.publish(1);
  on.run();
  CHECK(during == 2);
  CHECK(owner.use_count() == 1);
}

TEST_CASE("events left when the owner expired are abandoned in the accounts, and hold up nobody", "[owner]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("o", {.capacity = 4, .lane = 4});
  auto owner = std::make_shared<int>(0);
  const subscription s = topic.subscribe([&](const int&) { owner.reset(); }, {.owner = owner});
  for (int i = 0; i < 5; ++i) topic.publish(i);
  on.run();
  for (int i = 0; i < 100; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
  }
  const auto report = on.bus.close(1s);
  CHECK(report.drained);
  CHECK(report.totals.delivered == 1);
  CHECK(report.totals.abandoned_by_subscriptions > 0);
  CHECK(report.totals.adds_up());
}
