#include <bus/snapshot.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

subscription_snapshot subscription_of(const actorbus::bus& bus, const std::string& name) {
  for (const auto& each : bus.snapshot().subscriptions) {
    if (each.name == name) return each;
  }
  FAIL("there is no subscription named " << name);
  return {};
}

const auto nothing = [](const int&) {};

}  // namespace

TEST_CASE("a snapshot names the bus, its topics with their types, and its subscriptions, in order", "[snapshot]") {
  manual_bus on({.name = "robot-7"});
  auto b = on.bus.topic<int>("b");
  auto a = on.bus.topic<std::string>("a");
  const auto s = on.bus.subscribe<int>("*", nothing, {.name = "all"});
  const auto in = b.inbox({.name = "in"});
  const auto m = b.subscribe(nothing, {.group = "g", .name = "member"});
  const auto n = b.subscribe(nothing, {.group = "g"});
  const auto now = on.bus.snapshot();
  CHECK(now.name == "robot-7");
  REQUIRE(now.topics.size() == 2);
  CHECK(now.topics[0].name == "a");
  CHECK(now.topics[0].type.find("string") != std::string::npos);
  CHECK(now.topics[1].name == "b");
  CHECK(now.topics[1].type == "int");
  CHECK(now.topics[1].subscribers == 3);
  REQUIRE(now.subscriptions.size() == 3);
  const auto all = subscription_of(on.bus, "all");
  CHECK(all.kind == "handler");
  CHECK(all.pattern == "*");
  CHECK(all.members == 1);
  CHECK(all.skipped_topics == 1);
  CHECK(subscription_of(on.bus, "in").kind == "inbox");
  bool found = false;
  for (const auto& each : now.subscriptions) {
    if (each.kind != "group") continue;
    found = true;
    CHECK(each.group == "g");
    CHECK(each.members == 2);
    CHECK(each.pattern == "b");
  }
  CHECK(found);
}

TEST_CASE("a topic's snapshot counts what was accepted, appended, refused and spilled, and what waits", "[snapshot]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 4, .history = 3, .lane = 2, .spill = 3});
  auto s = topic.subscribe(nothing);
  s.pause();
  auto out = topic.publisher();
  int accepted = 0;
  while (accepted < 100 && !out.try_publish(1)) {
    ++accepted;
    on.run();
  }
  CHECK(accepted == 6);
  std::vector<std::future<void>> waiting;
  for (int i = 0; i < 4; ++i) waiting.push_back(out.publish_async(1));
  const auto now = on.topic("t");
  REQUIRE(now);
  CHECK(now->accepted == 9);
  CHECK(now->appended == 4);
  CHECK(now->abandoned == 0);
  CHECK(now->refused == 2);  // one try_publish, one publish_async
  CHECK(now->spilled == 3);
  CHECK(now->depth == 9);
  CHECK(now->history == 3);
  CHECK(now->publishers == 1);
  CHECK(now->subscribers == 1);
  CHECK(now->high_water == 4);
  CHECK(now->lanes == 1);
  s.resume();
  on.run();
  CHECK(on.topic("t")->appended == 9);
  CHECK(on.topic("t")->depth == 0);
  CHECK(on.topic("t")->high_water >= 4);
}

TEST_CASE("a topic's snapshot counts the chunks that kept events pin", "[snapshot]") {
  manual_bus on;
  auto topic = on.bus.topic<std::string>("t");
  auto in = topic.inbox();
  CHECK(on.topic("t")->pinned_chunks == 0);
  std::vector<event<std::string>> kept;
  for (int i = 0; i < 2000; ++i) {
    topic.publish("x");
    on.run();
    if (i % 1000 == 0) kept.push_back(*in.next());
    in.poll([](const std::string&) {});
  }
  on.run();
  CHECK(on.topic("t")->pinned_chunks == 2);
  kept.clear();
  CHECK(on.topic("t")->pinned_chunks == 0);
}

TEST_CASE("a subscription's snapshot counts what it was offered and what became of it", "[snapshot]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("t", {.history = 2});
  for (int i = 1; i <= 4; ++i) topic.publish(i);
  auto s = topic.subscribe(
      [](const int& i) {
        if (i == 7) throw std::runtime_error("seven");
      },
      {.from = replay::all(),
       .where = [](const metadata& m) { return m.sequence != 5; },
       .on_error = on_error::retry(2, 0ns),
       .name = "s"});
  for (int i = 5; i <= 8; ++i) topic.publish(i);
  on.advance(1s);
  s.pause();
  topic.publish(9);
  on.advance(3s);
  topic.publish(10);
  on.advance(1s);
  const auto now = subscription_of(on.bus, "s");
  CHECK(now.offered == 8);
  CHECK(now.delivered == 5);
  CHECK(now.failed == 1);
  CHECK(now.retries == 2);
  CHECK(now.filtered == 1);
  CHECK(now.dropped == 0);
  CHECK(now.abandoned == 0);
  CHECK(now.lag == 2);
  CHECK(now.oldest_unread == 4s);
  CHECK(now.paused);
  s.resume();
  on.run();
  const auto later = subscription_of(on.bus, "s");
  CHECK(later.lag == 0);
  CHECK(later.oldest_unread == 0s);
  CHECK_FALSE(later.paused);
}

TEST_CASE("a subscription's snapshot counts what its overflow dropped", "[snapshot]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.capacity = 4});
  auto dropping = topic.subscribe(nothing, {.overflow = overflow::drop_oldest, .name = "dropping"});
  auto newest = topic.subscribe(nothing, {.overflow = overflow::latest, .name = "newest"});
  auto in = topic.inbox({.name = "in"});
  dropping.pause();
  newest.pause();
  for (int i = 0; i < 10; ++i) topic.publish(i);
  on.run();
  CHECK(subscription_of(on.bus, "dropping").lag == 10);  // nothing is dropped before it reads on
  dropping.resume();
  newest.resume();
  on.run();
  in.poll(nothing);
  CHECK(subscription_of(on.bus, "dropping").dropped == 6);
  CHECK(subscription_of(on.bus, "dropping").delivered == 4);
  CHECK(subscription_of(on.bus, "newest").dropped == 9);
  CHECK(subscription_of(on.bus, "newest").delivered == 1);
  CHECK(subscription_of(on.bus, "in").dropped == 6);
  CHECK(in.dropped() == 6);
}

TEST_CASE("a snapshot counts pending requests and replies that came too late", "[snapshot]") {
  manual_bus on;
  auto slow = on.bus.respond<int, int>("ask", [&](const int& i) {
    on.engine->advance(2s);
    return i;
  });
  auto answer = on.bus.request<int>("ask", 1, 1s);
  CHECK(on.bus.snapshot().pending_requests == 1);
  on.run();
  CHECK(on.bus.snapshot().pending_requests == 0);
  CHECK(on.bus.snapshot().late_replies == 1);
}

TEST_CASE("snapshots may be taken at any time by any thread, and never show more handled than offered", "[snapshot]") {
  actorbus::bus bus(bus_options{.workers = 2});
  auto topic = bus.topic<std::string>("t", {.capacity = 64, .lane = 16});
  const auto s = topic.subscribe([](const std::string&) {}, {.name = "handler"});
  const auto g = topic.subscribe([](const std::string&) {}, {.group = "g", .name = "member"});
  auto in = topic.inbox({.name = "in"});
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int p = 0; p < 2; ++p) {
    threads.emplace_back([&] {
      auto out = topic.publisher();
      while (!stop) static_cast<void>(out.publish_for(std::string(30, 'x'), 1ms));
    });
  }
  threads.emplace_back([&] {
    while (!stop) in.poll([](const std::string&) {});
  });
  threads.emplace_back([&] {
    for (int i = 0; !stop; ++i) {
      const auto passing = bus.topic<int>("passing." + std::to_string(i % 10)).subscribe(nothing);
    }
  });
  bool plausible = true;
  for (std::size_t round = scaled(500); round != 0; --round) {
    for (const auto& t : bus.snapshot().topics) {
      plausible = plausible && t.accepted >= t.appended && t.depth < 1'000'000 && t.pinned_chunks < 1'000'000;
    }
    for (const auto& each : bus.snapshot().subscriptions) {
      plausible =
          plausible && each.offered >= each.filtered + each.dropped && each.lag < 1'000'000 && each.oldest_unread < 1h;
      if (each.kind != "group") plausible = plausible && each.offered >= each.delivered + each.dropped;
    }
  }
  stop = true;
  for (auto& each : threads) each.join();
  CHECK(plausible);
  CHECK(bus.close(20s).totals.adds_up());
}
