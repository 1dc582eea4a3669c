// A replay joined to live: no gap and no duplicate, while several publishers go on.
#include <atomic>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Publishers at full load for as long as it lives.
class load {
 public:
  explicit load(std::vector<topic<std::uint64_t>> to) {
    for (auto& each : to) {
      threads_.emplace_back([this, each]() mutable {
        auto out = each.publisher();
        const std::vector<std::uint64_t> batch(16, 0);
        for (std::uint64_t i = 0; !over_; ++i) {
          if (i % 8 == 0) {
            out.publish_all(batch);
          } else {
            out.publish(i);
          }
        }
      });
    }
  }
  ~load() {
    over_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

/// Follows the sequences one subscription is given.
struct trail {
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  std::uint64_t replayed = 0;
  std::uint64_t caught_up_at = 0;
  int caught_up_calls = 0;
  bool unbroken = true;
  std::atomic<std::uint64_t> live{0};

  void see(std::uint64_t from, std::uint64_t to) {
    if (first == 0) first = next = from;
    unbroken = unbroken && from == next;
    next = to + 1;
  }
  auto handler() {
    return overloaded{[this](const event<std::uint64_t>& e) {
                        see(e.sequence(), e.sequence());
                        if (caught_up_calls == 0) {
                          ++replayed;
                        } else {
                          live = live + 1;
                        }
                      },
                      [this](const lagged& l) { see(l.first, l.last); },
                      [this](const caught_up& c) {
                        ++caught_up_calls;
                        caught_up_at = c.sequence;
                        unbroken = unbroken && (c.sequence == 0 || c.sequence + 1 == next);
                      }};
  }
};

constexpr std::uint64_t enough = 300;  // live events behind the replay, so that the seam is well inside

topic_options remembering(std::size_t history) { return {.capacity = 1024, .history = history, .lane = 64}; }

}  // namespace

TEST_CASE("a replay is joined to live without gap or duplicate under full load", "[replay_join]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  constexpr std::uint64_t history = 500;
  actorbus::bus bus;
  auto topic = bus.topic<std::uint64_t>("join", remembering(history));
  const load publishing({topic, topic, topic});
  REQUIRE(eventually([&] { return topic.latest() && topic.latest()->sequence() > 2 * history; }));
  for (std::size_t round = 0; round < scaled(40); ++round) {
    const std::uint64_t newest = topic.latest()->sequence();
    const std::size_t way = round % 4;
    const replay from = way == 0   ? replay::all()
                        : way == 1 ? replay::last(100)
                        : way == 2 ? replay::after(newest - 2 * history)
                                   : replay::since(topic.latest()->time());
    trail told;
    auto subscription = topic.subscribe(told.handler(), {.from = from, .run_on = where});
    const bool went_on = eventually([&] { return told.live >= enough; });
    subscription.cancel();
    CAPTURE(way, told.first, told.next, told.replayed, told.caught_up_at);
    REQUIRE(went_on);
    REQUIRE(told.unbroken);
    REQUIRE(told.caught_up_calls == 1);
    if (way == 0) CHECK(told.replayed == history);
    if (way == 1) CHECK(told.replayed == 100);
    if (way == 2) CHECK(told.first == newest - 2 * history + 1);
    if (way == 2) CHECK(told.replayed == history);
    if (way == 3) CHECK(told.replayed >= 1);
    if (way == 3) CHECK(told.replayed <= history);
    CHECK(told.caught_up_at + 1 >= newest);
  }
}

TEST_CASE("an inbox's replay is joined to live without gap or duplicate under full load", "[replay_join]") {
  constexpr std::uint64_t history = 500;
  const auto how = GENERATE(overflow::block, overflow::drop_oldest);
  actorbus::bus bus;
  auto topic = bus.topic<std::uint64_t>("join", remembering(history));
  const load publishing({topic, topic});
  REQUIRE(eventually([&] { return topic.latest() && topic.latest()->sequence() > history; }));
  for (std::size_t round = 0; round < scaled(40); ++round) {
    trail told;
    auto handler = told.handler();
    auto in = topic.inbox({.from = replay::all(), .overflow = how});
    const bool went_on = eventually([&] {
      in.poll(handler, 1 + round % 50);
      return told.live >= enough;
    });
    CAPTURE(told.first, told.next, told.replayed);
    REQUIRE(went_on);
    REQUIRE(told.unbroken);
    CHECK(told.replayed == history);
    CHECK(told.caught_up_calls == 1);
  }
}

TEST_CASE("on a pattern each topic's replay is joined to its live part", "[replay_join]") {
  constexpr std::uint64_t history = 200;
  actorbus::bus bus;
  std::vector<topic<std::uint64_t>> topics;
  for (const char* name : {"join.a", "join.b"}) topics.push_back(bus.topic<std::uint64_t>(name, remembering(history)));
  const load publishing({topics[0], topics[1], topics[1]});
  for (auto& each : topics) {
    REQUIRE(eventually([&] { return each.latest() && each.latest()->sequence() > history; }));
  }
  for (std::size_t round = 0; round < scaled(40); ++round) {
    trail a;
    trail b;
    auto to_a = a.handler();
    auto to_b = b.handler();
    const auto route = [&](const auto& what, std::string_view topic) { topic == "join.a" ? to_a(what) : to_b(what); };
    auto subscription = bus.subscribe<std::uint64_t>(
        "join.*",
        overloaded{[&](const event<std::uint64_t>& e) { route(e, e.topic()); },
                   [&](const lagged& l) { route(l, l.topic); }, [&](const caught_up& c) { route(c, c.topic); }},
        {.from = replay::last(50)});
    const bool went_on = eventually([&] { return a.live >= enough && b.live >= enough; });
    subscription.cancel();
    REQUIRE(went_on);
    CHECK(a.unbroken);
    CHECK(b.unbroken);
    CHECK(a.replayed == 50);
    CHECK(b.replayed == 50);
    CHECK(a.caught_up_calls == 1);
    CHECK(b.caught_up_calls == 1);
  }
}

TEST_CASE("a subscription may go on after the last sequence another one saw", "[replay_join]") {
  constexpr std::uint64_t history = 100'000;
  actorbus::bus bus;
  auto topic = bus.topic<std::uint64_t>("join", remembering(history));
  const load publishing({topic, topic});
  REQUIRE(eventually([&] { return topic.latest().has_value(); }));
  std::uint64_t last = topic.latest()->sequence();
  for (std::size_t round = 0; round < scaled(100); ++round) {
    trail told;
    auto subscription = topic.subscribe(told.handler(), {.from = replay::after(last)});
    const bool went_on = eventually([&] { return told.live >= 20; });
    subscription.cancel();
    REQUIRE(went_on);
    REQUIRE(told.unbroken);
    REQUIRE(told.first == last + 1);
    last = told.next - 1;
  }
}
