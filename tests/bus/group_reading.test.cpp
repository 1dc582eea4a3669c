// What the one cursor of a group brings: replay, overflow, patterns, and its account.
#include <bus/group.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::manual_bus;

namespace {

using numbers = std::vector<int>;

numbers from_to(int first, int last) {
  numbers result;
  for (int i = first; i <= last; ++i) result.push_back(i);
  return result;
}

numbers sorted(numbers of) {
  std::sort(of.begin(), of.end());
  return of;
}

auto into(numbers& seen) {
  return [&seen](const int& i) { seen.push_back(i); };
}

subscription_snapshot group_of(const bus_snapshot& now) {
  for (auto& each : now.subscriptions) {
    if (each.kind == "group") return each;
  }
  return {};
}

class fixed_history final : public history_source<int> {
 public:
  explicit fixed_history(numbers values) : values_(std::move(values)) {}
  void fetch(const history_request&, std::function<void(std::vector<past_event<int>>)> done) override {
    std::vector<past_event<int>> events;
    for (const int each : values_) events.push_back({each});
    done(std::move(events));
  }

 private:
  const numbers values_;
};

}  // namespace

TEST_CASE("a group replays the history once, among its members, and goes on live", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs", {.history = 100});
  for (const int i : from_to(1, 150)) jobs.publish(i);
  numbers seen;
  const subscribe_options all{.from = replay::all(), .group = "workers"};
  const auto a = jobs.subscribe(into(seen), all);
  const auto b = jobs.subscribe(into(seen), all);
  for (const int i : from_to(151, 200)) jobs.publish(i);
  on.run();
  const auto late = jobs.subscribe(into(seen), all);
  on.run();
  CHECK(sorted(seen) == from_to(51, 200));
}

TEST_CASE("a group shares what a history source has as well", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs", {.history = 10});
  jobs.set_history_source(std::make_shared<fixed_history>(from_to(1, 90)));
  for (const int i : from_to(91, 100)) jobs.publish(i);
  numbers seen;
  const subscribe_options all{.from = replay::all(), .group = "workers"};
  const auto a = jobs.subscribe(into(seen), all);
  const auto b = jobs.subscribe(into(seen), all);
  jobs.publish(101);
  on.run();
  CHECK(sorted(seen) == from_to(1, 101));
  CHECK(on.bus.flush(0ns));
}

TEST_CASE("a group on a pattern shares the events of every topic, present and to come", "[group]") {
  manual_bus on;
  auto present = on.bus.topic<int>("jobs.present");
  numbers seen, first;
  const auto a =
      on.bus.subscribe<int>("jobs.*", [&](const int& i) { seen.push_back(i), first.push_back(i); }, {.group = "w"});
  const auto b = on.bus.subscribe<int>("jobs.*", into(seen), {.group = "w"});
  auto to_come = on.bus.topic<int>("jobs.to_come");
  for (int i = 1; i <= 100; i += 2) {
    present.publish(i);
    on.run();
    to_come.publish(i + 1);
    on.run();
  }
  CHECK(sorted(seen) == from_to(1, 100));
  CHECK_FALSE(first.empty());
  CHECK(first.size() < 100);
}

TEST_CASE("a literal group and a pattern's are two groups, whatever their names", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs.a");
  numbers literal, pattern;
  const auto a = jobs.subscribe(into(literal), {.group = "w"});
  const auto b = on.bus.subscribe<int>("jobs.>", into(pattern), {.group = "w"});
  for (const int i : from_to(1, 10)) jobs.publish(i);
  on.run();
  CHECK(literal == from_to(1, 10));
  CHECK(pattern == from_to(1, 10));
}

TEST_CASE("a blocked group stops the topic at its capacity, and lets it go on", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs", {.lane = 1});
  numbers seen;
  auto member = jobs.subscribe(into(seen), {.capacity = 10, .group = "workers"});
  member.pause();
  int published = 0;
  while (published < 1000 && !jobs.try_publish(published + 1)) {
    ++published;
    on.run();
  }
  CHECK(published >= 10);
  CHECK(published <= 10 + 10 + 1);  // read ahead, behind, and in the lane
  member.resume();
  on.run();
  CHECK(seen == from_to(1, published));
}

TEST_CASE("a group that drops keeps the newest, and counts what it dropped", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  auto member = jobs.subscribe(into(seen), {.overflow = overflow::drop_oldest, .capacity = 10, .group = "workers"});
  member.pause();
  for (const int i : from_to(1, 100)) {
    jobs.publish(i);
    on.run();
  }
  member.resume();
  on.run();
  CHECK(seen == from_to(91, 100));
  const auto now = group_of(on.bus.snapshot());
  CHECK(now.dropped == 90);
  CHECK(now.delivered == 10);
  CHECK(now.lag == 0);
}

TEST_CASE("a group of latest gets what is newest when a member is free", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  auto member = jobs.subscribe(into(seen), {.overflow = overflow::latest, .group = "workers"});
  member.pause();
  for (const int i : from_to(1, 100)) {
    jobs.publish(i);
    on.run();
  }
  member.resume();
  on.run();
  CHECK(seen == numbers{100});
  CHECK(group_of(on.bus.snapshot()).dropped == 99);
}

TEST_CASE("a group has one filter, and only its members' failures are theirs", "[group]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  const filter marked = [](const metadata& m) { return m.headers.contains("mark"); };
  const auto good = jobs.subscribe(into(seen), {.group = "workers", .where = marked});
  const auto bad =
      jobs.subscribe([](const int&) { throw std::runtime_error("no"); }, {.group = "workers", .where = marked});
  for (const int i : from_to(1, 100)) {
    jobs.publish(i, i % 2 == 0 ? headers{{"mark", "yes"}} : headers{});
    on.run();
  }
  const auto now = group_of(on.bus.snapshot());
  CHECK(now.members == 2);
  CHECK(now.offered == 100);
  CHECK(now.filtered == 50);
  CHECK(now.delivered == 50);
  CHECK(now.failed == 50 - seen.size());
  CHECK(now.failed > 0);
}

TEST_CASE("a group's account adds up while members come, fail and go, and at close", "[group]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  const subscribe_options options{.group = "workers", .on_error = on_error::retry(1, 1ms)};
  auto stays = jobs.subscribe(into(seen), options);
  for (const int i : from_to(1, 50)) {
    auto comes_and_goes = jobs.subscribe(
        [](const int& n) {
          if (n % 2 == 0) throw 1;
        },
        options);
    for (int n = 0; n < 5; ++n) jobs.publish(i);
    on.run();
  }
  on.advance(1s);
  const auto now = group_of(on.bus.snapshot());
  CHECK(now.offered == 250);
  CHECK(now.delivered == 250);
  stays.pause();
  for (const int i : from_to(1, 100)) jobs.publish(i);
  on.run();
  CHECK(group_of(on.bus.snapshot()).lag == 100);
  stays.cancel();
  const auto end = on.bus.close(0ns);
  CHECK(end.totals.adds_up());
  CHECK(end.totals.offered == 350);
  CHECK(end.totals.delivered == 250);
  CHECK(end.totals.abandoned_by_subscriptions == 100);
}
