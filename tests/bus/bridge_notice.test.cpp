#include <bus/publisher.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

/// Tells of events with their sequences, and of a bridge's notices.
auto telling(lines& to) {
  return overloaded{
      [&to](const event<int>& e) { to.push_back(std::to_string(e.sequence()) + ": " + std::to_string(*e)); },
      [&to](const gap& g) { to.push_back(std::string(g.topic) + " gap: " + g.reason); },
      [&to](const trimmed& t) { to.push_back(std::string(t.topic) + " trimmed " + t.first + " to " + t.last); },
      [&to](const epoch_reset& r) { to.push_back(std::string(r.topic) + " reset: " + r.reason); }};
}

}  // namespace

TEST_CASE("a bridge's notice is an entry of the log: it takes a sequence number and comes in order with the events",
          "[bridge_notice]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  manual_bus on;
  auto topic = on.bus.topic<int>("b");
  lines told;
  const auto s = topic.subscribe(telling(told), {.run_on = where});
  auto bridge = topic.publisher({.origin = 7});
  bridge.publish(1);
  bridge.publish_notice(gap{.topic = {}, .reason = "reconnected"});
  bridge.publish(2);
  bridge.publish_notice(trimmed{.topic = {}, .first = "1-0", .last = "5-0"});
  bridge.publish_notice(epoch_reset{.topic = {}, .reason = "deleted"});
  bridge.publish(3);
  on.run();
  CHECK(told == lines{"1: 1", "b gap: reconnected", "3: 2", "b trimmed 1-0 to 5-0", "b reset: deleted", "6: 3"});
}

TEST_CASE("a bridge's notice reaches every kind of subscription", "[bridge_notice]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("b");
  lines pattern;
  lines polled;
  const auto p = on.bus.subscribe<int>("*", telling(pattern));
  auto in = topic.inbox();
  topic.publisher().publish_notice(gap{.topic = {}, .reason = "lost"});
  on.run();
  in.poll(telling(polled));
  CHECK(pattern == lines{"b gap: lost"});
  CHECK(polled == lines{"b gap: lost"});
}

TEST_CASE("handlers, filters and next never see a notice as an event", "[bridge_notice]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("b");
  std::vector<int> seen;
  std::vector<std::uint64_t> filtered;
  std::vector<int> shared;
  const auto a = topic.subscribe([&](const int& i) { seen.push_back(i); },
                                 {.where = [&](const metadata& m) { return filtered.push_back(m.sequence), true; }});
  const auto b = topic.subscribe([&](const int& i) { shared.push_back(i); }, {.group = "g"});
  auto in = topic.inbox();
  auto bridge = topic.publisher();
  bridge.publish_notice(gap{.topic = {}, .reason = "lost"});
  bridge.publish(1);
  on.run();
  CHECK(seen == std::vector<int>{1});
  CHECK(filtered == std::vector<std::uint64_t>{2});
  CHECK(shared == std::vector<int>{1});
  const auto next = in.next(0s);
  REQUIRE(next);
  CHECK(**next == 1);
}

TEST_CASE("a bridge's notice is kept in the history and replayed in its place", "[bridge_notice]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("b", {.history = 3});
  auto bridge = topic.publisher();
  bridge.publish(1);
  bridge.publish_notice(gap{.topic = {}, .reason = "lost"});
  bridge.publish(2);
  lines told;
  const auto s = topic.subscribe(telling(told), {.from = replay::all()});
  on.run();
  CHECK(told == lines{"1: 1", "b gap: lost", "3: 2"});
}

TEST_CASE("bridges' notices are in the accounts like events", "[bridge_notice]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("b");
  const auto a = topic.subscribe([](const int&) {});
  const auto g = topic.subscribe([](const int&) {}, {.group = "g"});
  auto bridge = topic.publisher();
  bridge.publish(1);
  bridge.publish_notice(gap{.topic = {}, .reason = "lost"});
  const auto report = on.bus.close(1s);
  CHECK(report.drained);
  CHECK(report.totals.accepted == 2);
  CHECK(report.totals.adds_up());
}

TEST_CASE("a notice on a finished or closed topic is refused as an event is", "[bridge_notice]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("b");
  auto bridge = topic.publisher();
  topic.finish();
  CHECK(error_of([&] { bridge.publish_notice(gap{.topic = {}, .reason = "late"}); }) == errc::finished);
  on.bus.close(1s);
  CHECK(error_of([&] { bridge.publish_notice(gap{.topic = {}, .reason = "late"}); }) == errc::closed);
}
