#include <bus/publisher.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <bus/bus.hpp>
#include <bus/manual_engine.hpp>

#include "tests/bus/story.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = story::lines_type;

/// One process of a network of buses that mirror a topic to each other, each as a bridge would: an ordinary subscriber
/// outbound, which leaves out what came from outside, and an ordinary publisher inbound, which sets the origin.
struct process {
  process(std::shared_ptr<manual_engine> on, std::uint64_t id) : bus(std::move(on)), self(id) {}

  /// Sends on to `to` what was published here.
  void link(process& to) {
    auto inbound = std::make_shared<publisher<int>>(to.topic.publisher({.origin = self}));
    links.push_back(topic.subscribe(
        [inbound, this](const event<int>& e) { ++sent, inbound->publish_from(*e, e.sequence(), e.headers()); },
        {.where = [](const metadata& m) { return m.origin == 0; }}));
  }

  actorbus::bus bus;
  const std::uint64_t self;
  actorbus::topic<int> topic = bus.topic<int>("mirrored");
  story told;
  subscription watching = topic.subscribe(told.handler());
  std::vector<subscription> links;
  int sent = 0;
};

}  // namespace

TEST_CASE("an event carries the origin and the sequence there that its publisher set, and 0 without one", "[origin]") {
  const auto engine = std::make_shared<manual_engine>();
  actorbus::bus bus(engine);
  auto topic = bus.topic<int>("o");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  std::vector<std::uint64_t> filtered;
  const auto s = topic.subscribe([&](const event<int>& e) { seen.emplace_back(e.origin(), e.origin_sequence()); },
                                 {.where = [&](const metadata& m) { return filtered.push_back(m.origin), true; }});
  auto bridge = topic.publisher({.origin = 0xfeedfacecafebeef});
  CHECK(bridge.origin() == 0xfeedfacecafebeef);
  bridge.publish(1);
  bridge.publish_from(2, 99);
  CHECK_FALSE(bridge.try_publish_from(3, 100));
  const std::vector<int> batch{4};
  bridge.publish_all(batch);
  engine->run();
  topic.publish(5);
  topic.publisher().publish(6);
  engine->run();
  const std::uint64_t id = 0xfeedfacecafebeef;
  CHECK(seen ==
        std::vector<std::pair<std::uint64_t, std::uint64_t>>{{id, 0}, {id, 99}, {id, 100}, {id, 0}, {0, 0}, {0, 0}});
  CHECK(filtered == std::vector<std::uint64_t>{id, id, id, id, 0, 0});
}

TEST_CASE("an interceptor sees the origin of what a bridge publishes", "[origin]") {
  actorbus::bus bus(std::make_shared<manual_engine>());
  std::uint64_t seen = 1;
  const interceptor look = [&](const metadata& m, headers&) { return seen = m.origin, std::error_code{}; };
  auto topic = bus.topic<int>("o", {.intercept = look});
  topic.publisher({.origin = 7}).publish(1);
  CHECK(seen == 7);
  topic.publish(2);
  CHECK(seen == 0);
}

TEST_CASE("two buses linked both ways mirror each other's events, each once, and never loop", "[origin]") {
  const auto engine = std::make_shared<manual_engine>();
  process a(engine, 1);
  process b(engine, 2);
  a.link(b);
  b.link(a);
  a.topic.publish(10);
  b.topic.publish(20);
  engine->run();
  a.topic.publish(11);
  engine->run();
  CHECK(a.told.lines() == lines{"10", "20", "11"});
  CHECK(b.told.lines() == lines{"20", "10", "11"});
  CHECK(a.sent == 2);
  CHECK(b.sent == 1);
}

TEST_CASE("a ring of bridged processes never loops either", "[origin]") {
  const auto engine = std::make_shared<manual_engine>();
  process a(engine, 1);
  process b(engine, 2);
  process c(engine, 3);
  for (auto* from : {&a, &b, &c}) {
    for (auto* to : {&a, &b, &c}) {
      if (from != to) from->link(*to);
    }
  }
  a.topic.publish(1);
  c.topic.publish(3);
  engine->run();
  for (auto* each : {&a, &b, &c}) CHECK(each->told.size() == 2);
}
