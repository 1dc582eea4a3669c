#include <actors/host.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"

using namespace std::chrono_literals;
using actorbus::testing::eventually;

namespace {

/// A user's program: its configuration and its actor system.
struct program {
  program() {
    config.set("scheduler.max-threads", std::size_t{2});
    system.emplace(config);
  }
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
};

/// A user's actor: adds up what it is sent, and publishes the sum.
caf::behavior adding(caf::event_based_actor*, actorbus::topic<int>* sums) {
  return {[sums, sum = 0](int i) mutable {
    sum += i;
    sums->publish(sum);
  }};
}

}  // namespace

TEST_CASE("a bus runs on an actor system given by the user", "[host]") {
  program mine;
  actorbus::bus bus{actorbus::engine_on(*mine.system), {.name = "hosted"}};
  std::atomic<int> sum{0};
  std::vector<actorbus::subscription> subscribed;
  auto topic = bus.topic<int>("t");
  for (const auto where : {actorbus::run_on::pool, actorbus::run_on::topic, actorbus::run_on::own_thread}) {
    subscribed.push_back(topic.subscribe([&](int i) { sum += i; }, {.run_on = where}));
  }
  for (int i = 1; i <= 100; ++i) topic.publish(i);
  REQUIRE(bus.flush(20s));
  CHECK(sum == 3 * 5050);
  const auto report = bus.close(20s);
  CHECK(report.drained);
  CHECK(report.totals.adds_up());
}

TEST_CASE("several buses share one actor system and nothing else", "[host]") {
  program mine;
  std::atomic<int> on_first{0}, on_second{0};
  actorbus::bus first{actorbus::engine_on(*mine.system)};
  const auto a = first.subscribe<int>("t", [&](int i) { on_first += i; });
  {
    actorbus::bus second{actorbus::engine_on(*mine.system)};
    const auto b = second.subscribe<int>("t", [&](int i) { on_second += i; });
    second.topic<int>("t").publish(10);
    first.topic<int>("t").publish(1);
    REQUIRE(second.flush(20s));
  }
  first.topic<int>("t").publish(1);  // the end of one bus is not the other's
  REQUIRE(first.flush(20s));
  CHECK(on_first == 2);
  CHECK(on_second == 10);
}

TEST_CASE("closing a bus ends the bus's actors and leaves the user's alone", "[host]") {
  program mine;
  std::optional<actorbus::bus> bus{actorbus::engine_on(*mine.system)};
  auto sums = bus->topic<int>("sums");
  const caf::actor actor = mine.system->spawn(adding, &sums);
  std::atomic<int> newest{0};
  const auto subscribed = sums.subscribe([&](int i) { newest = i; });
  for (int i = 1; i <= 10; ++i) caf::anon_send(actor, i);
  CHECK(eventually([&] { return newest == 55; }));
  bus.reset();
  caf::scoped_actor self{*mine.system};
  bool alive = false;
  self->request(self->spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int i) { return i + 1; }}; }),
                20s, 1)
      .receive([&](int i) { alive = i == 2; }, [](const caf::error&) {});
  CHECK(alive);
  CHECK(sums.try_publish(1) == actorbus::errc::closed);
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_CASE("an actor system without a bus ends, whenever the bus ended", "[host]") {
  for (int i = 0; i < 20; ++i) {
    program mine;
    actorbus::bus bus{actorbus::engine_on(*mine.system)};
    auto topic = bus.topic<int>("t");
    std::atomic<int> seen{0};
    auto subscribed = topic.subscribe([&](int) { ++seen; });
    for (int n = 0; n < 100; ++n) topic.publish(n);
    bus.close(20s);
    CHECK(seen == 100);
  }
}

TEST_CASE("a handle on a hosted bus's topic may outlive bus and system", "[host]") {
  std::optional<actorbus::topic<std::string>> left;
  std::optional<actorbus::event<std::string>> kept;
  {
    program mine;
    actorbus::bus bus{actorbus::engine_on(*mine.system)};
    left = bus.topic<std::string>("t", {.history = 1});
    left->publish("text");
    kept = left->latest();
  }
  CHECK(left->try_publish("late") == actorbus::errc::closed);
  REQUIRE(kept.has_value());
  CHECK(kept->value() == "text");
}
