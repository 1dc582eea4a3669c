#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::census;
using testing::counted;
using testing::error_of;
using testing::eventually;
using testing::manual_bus;
using testing::scaled;

namespace {

const bus_options reclaiming{.reclaim_after = 1s};
constexpr auto long_enough = 10s;

}  // namespace

TEST_CASE("a topic with no handle, no literal subscription, an empty log and no history goes", "[retire]") {
  manual_bus on(reclaiming);
  on.bus.topic<int>("used").publish(1);
  on.bus.topic<int>("only.named");
  CHECK(on.topic("used").has_value());
  on.advance(long_enough);
  CHECK_FALSE(on.topic("used").has_value());
  CHECK_FALSE(on.topic("only.named").has_value());
}

TEST_CASE("a handle, a publisher, a literal subscription or a history keeps a topic", "[retire]") {
  manual_bus on(reclaiming);
  auto handle = std::make_optional(on.bus.topic<int>("handle"));
  auto out = std::make_optional(on.bus.topic<int>("publisher").publisher());
  auto subscribed = std::make_optional(on.bus.subscribe<int>("subscribed", [](int) {}));
  auto in = std::make_optional(on.bus.inbox<int>("inbox"));
  on.bus.topic<int>("history", {.history = 1}).publish(1);
  auto tap = on.bus.subscribe<int>(">", [](int) {});
  on.advance(long_enough);
  CHECK(on.bus.snapshot().topics.size() == 5);
  handle.reset();
  out.reset();
  subscribed.reset();
  in.reset();
  on.advance(long_enough);
  REQUIRE(on.bus.snapshot().topics.size() == 1);
  CHECK(on.bus.snapshot().topics[0].name == "history");
}

TEST_CASE("what nobody has read yet keeps a topic, and once it is read the topic goes", "[retire]") {
  manual_bus on(reclaiming);
  auto in = on.bus.inbox<int>("topics.*");
  auto paused = on.bus.subscribe<std::string>("topics.*", [](const std::string&) {});
  paused.pause();
  on.bus.topic<int>("topics.ints").publish(1);
  on.bus.topic<std::string>("topics.texts").publish("text");
  on.advance(long_enough);
  CHECK(on.bus.snapshot().topics.size() == 2);
  CHECK(in.poll([](int) {}) == 1);
  paused.resume();
  on.advance(long_enough);
  CHECK(on.bus.snapshot().topics.empty());
  CHECK(on.bus.snapshot().subscriptions.at(0).offered == 1);
}

TEST_CASE("a finished topic that nobody holds goes as well, after it has told everybody", "[retire]") {
  manual_bus on(reclaiming);
  std::vector<std::string> told;
  auto tap = on.bus.subscribe<int>("t.*", overloaded{[&](const event<int>&) { told.push_back("event"); },
                                                     [&](const finished&) { told.push_back("finished"); }});
  tap.pause();
  {
    auto topic = on.bus.topic<int>("t.ends");
    topic.publish(1);
    topic.finish();
  }
  on.advance(long_enough);
  CHECK(on.topic("t.ends").has_value());
  tap.resume();
  on.advance(long_enough);
  CHECK(told == std::vector<std::string>{"event", "finished"});
  CHECK_FALSE(on.topic("t.ends").has_value());
}

TEST_CASE("sequences never run backwards under a name, however often its topic goes and comes", "[retire]") {
  manual_bus on(reclaiming);
  std::vector<std::uint64_t> sequences;
  auto tap = on.bus.subscribe<int>("again.*", [&](const event<int>& e) { sequences.push_back(e.sequence()); });
  for (int round = 0; round < 20; ++round) {
    {
      auto topic = on.bus.topic<int>("again.t");
      for (int i = 0; i <= round; ++i) topic.publish(i);
    }
    on.advance(long_enough);
    REQUIRE_FALSE(on.topic("again.t").has_value());
  }
  REQUIRE(sequences.size() == 210);
  for (std::size_t i = 1; i < sequences.size(); ++i) CHECK(sequences[i] > sequences[i - 1]);
}

TEST_CASE("a name may come back with another type and other options", "[retire]") {
  manual_bus on(reclaiming);
  on.bus.topic<int>("t", {.capacity = 5}).publish(1);
  on.advance(long_enough);
  REQUIRE_FALSE(on.topic("t").has_value());
  auto again = on.bus.topic<std::string>("t", {.capacity = 6});
  std::uint64_t sequence = 0;
  const auto subscribed = again.subscribe([&](const event<std::string>& e) { sequence = e.sequence(); });
  again.publish("text");
  on.run();
  CHECK(sequence > 1);
}

TEST_CASE("a pattern goes on with the topic that came back", "[retire]") {
  manual_bus on(reclaiming);
  std::vector<int> seen;
  int ends = 0;
  auto tap = on.bus.subscribe<int>(
      "t.*", overloaded{[&](const event<int>& e) { seen.push_back(*e); }, [&](const finished&) { ++ends; }});
  for (int i = 0; i < 5; ++i) {
    on.bus.topic<int>("t.x").publish(i);
    on.advance(long_enough);
  }
  CHECK(seen == std::vector{0, 1, 2, 3, 4});
  CHECK(ends == 0);  // to retire is no end of stream
  const auto now = on.bus.snapshot();
  CHECK(now.topics.empty());
  CHECK(now.subscriptions.at(0).offered == 5);
  CHECK(now.subscriptions.at(0).delivered == 5);
}

TEST_CASE("an idle topic without history gives its chunks and its lanes back, and its handle goes on working",
          "[retire]") {
  census in;
  manual_bus on(reclaiming);
  auto topic = on.bus.topic<counted>("t");
  std::vector<int> seen;
  auto subscribed = topic.subscribe([&](const counted& c) { seen.push_back(c.value()); });
  auto out = topic.publisher();
  out.publish_all(std::vector<counted>(3000, counted(in, 1)));
  on.run();
  CHECK(in.living() == 0);
  on.advance(long_enough);
  const auto idle = *on.topic("t");
  CHECK(idle.lanes == 0);
  CHECK(idle.pinned_chunks == 0);
  out.publish(counted(in, 2));
  topic.publish(counted(in, 3));
  on.run();
  REQUIRE(seen.size() == 3002);
  CHECK(seen[3000] + seen[3001] == 5);
  CHECK(in.living() == 0);
}

TEST_CASE("a topic that is busy is not reclaimed under its publishers", "[retire]") {
  manual_bus on(reclaiming);
  std::size_t seen = 0;
  auto tap = on.bus.subscribe<int>(">", [&](int) { ++seen; });
  for (int i = 0; i < 500; ++i) {
    on.bus.topic<int>("brief").publish(i);  // a handle for each call only
    on.advance(100ms);
  }
  CHECK(seen == 500);
  CHECK(on.topic("brief")->accepted == 500);
}

TEST_CASE("the accounts of a retired topic stay in the bus's", "[retire]") {
  manual_bus on(reclaiming);
  auto tap = on.bus.subscribe<int>(">", [](int) {});
  for (int i = 0; i < 10; ++i) on.bus.topic<int>("t" + std::to_string(i)).publish(i);
  on.advance(long_enough);
  REQUIRE(on.bus.snapshot().topics.empty());
  const auto report = on.bus.close(1s);
  CHECK(report.drained);
  CHECK(report.totals.accepted == 10);
  CHECK(report.totals.delivered == 10);
  CHECK(report.totals.adds_up());
}

TEST_CASE("topics that retire while threads ask for them lose no event and repeat no sequence", "[retire]") {
  const int events = static_cast<int>(scaled(3000));
  bus on({.reclaim_after = 1us});
  std::atomic<int> handled{0};
  std::atomic<std::uint64_t> newest{0};
  std::atomic<bool> forwards{true};
  auto tap = on.subscribe<int>("short.*", [&](const event<int>& e) {
    if (e.sequence() <= newest.exchange(e.sequence())) forwards = false;
    ++handled;
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < events; ++i) {
        on.topic<int>("short.lived").publish(i);
        if (i % 16 == 0) eventually([&] { return on.snapshot().topics.empty(); });
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK(eventually([&] { return handled == 2 * events; }));
  CHECK(forwards);
}
