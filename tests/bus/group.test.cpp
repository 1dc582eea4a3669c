#include <bus/group.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

namespace {

using numbers = std::vector<int>;

numbers one_to(int last) {
  numbers result;
  for (int i = 1; i <= last; ++i) result.push_back(i);
  return result;
}

numbers sorted(numbers of) {
  std::sort(of.begin(), of.end());
  return of;
}

auto into(numbers& seen) {
  return [&seen](const int& i) { seen.push_back(i); };
}

subscription_snapshot group_of(const manual_bus& on) {
  for (auto& each : on.bus.snapshot().subscriptions) {
    if (each.kind == "group") return each;
  }
  return {};
}

}  // namespace

TEST_CASE("each event goes to exactly one member of its group", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  std::vector<int> calls(3);
  std::vector<subscription> members;
  for (int& each : calls) {
    members.push_back(jobs.subscribe([&](const int& i) { seen.push_back(i), ++each; }, {.group = "workers"}));
  }
  for (int i = 1; i <= 1000; ++i) {
    jobs.publish(i);
    on.run();
  }
  CHECK(sorted(seen) == one_to(1000));
  for (const int each : calls) CHECK(each > 0);
}

TEST_CASE("two groups and a subscription of its own each get every event", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers a, b, alone;
  const auto a1 = jobs.subscribe(into(a), {.group = "a"});
  const auto a2 = jobs.subscribe(into(a), {.group = "a"});
  const auto b1 = jobs.subscribe(into(b), {.group = "b"});
  const auto by_itself = jobs.subscribe(into(alone));
  for (const int i : one_to(100)) jobs.publish(i);
  on.run();
  CHECK(sorted(a) == one_to(100));
  CHECK(b == one_to(100));
  CHECK(alone == one_to(100));
}

TEST_CASE("a member whose options differ from its group's is errc::options_mismatch", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  const filter any = [](const metadata&) { return true; };
  const auto differs = [&](subscribe_options options) {
    options.group = "workers";
    return error_of([&] { static_cast<void>(jobs.subscribe([](int) {}, options)); }) == errc::options_mismatch;
  };
  const auto first = jobs.subscribe([](int) {}, {.capacity = 16, .group = "workers"});
  CHECK(differs({}));
  CHECK(differs({.from = replay::all(), .capacity = 16}));
  CHECK(differs({.overflow = overflow::drop_oldest, .capacity = 16}));
  CHECK(differs({.capacity = 17}));
  CHECK(differs({.capacity = 16, .where = any}));
  CHECK(differs({.capacity = 16, .key = [](const metadata&) { return 1; }}));
  CHECK_FALSE(
      differs({.capacity = 16, .run_on = run_on::own_thread, .on_error = on_error::cancel(), .name = "another"}));
  CHECK(group_of(on).members == 1);
}

TEST_CASE("a group has no member inside the topic: run_on::topic is errc::invalid_argument", "[group]") {
  manual_bus on;
  const subscribe_options inside{.run_on = run_on::topic, .group = "workers"};
  CHECK(error_of([&] {
          static_cast<void>(on.bus.subscribe<int>(
              "jobs", [](int) {}, inside));
        }) == errc::invalid_argument);
}

TEST_CASE("a member that leaves hands on what it had not started", "[group]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  auto stuck = jobs.subscribe([](const int&) { throw std::runtime_error("not now"); },
                              {.group = "workers", .on_error = on_error::retry(9, 1min)});
  for (const int i : one_to(200)) jobs.publish(i);
  on.run();
  const auto other = jobs.subscribe(into(seen), {.group = "workers"});
  on.run();
  CHECK(sorted(seen).back() == 200);
  CHECK(seen.size() == 199);  // the first waits for its retry
  stuck.cancel();
  on.run();
  CHECK(sorted(seen) == one_to(200));
}

TEST_CASE("a member that joins takes what waits for one that is free", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  auto busy = jobs.subscribe(into(seen), {.group = "workers"});
  busy.pause();
  for (const int i : one_to(500)) jobs.publish(i);
  on.run();
  CHECK(seen.empty());
  const auto fresh = jobs.subscribe(into(seen), {.group = "workers"});
  on.run();
  CHECK(seen == one_to(500));
}

TEST_CASE("a member that is paused when it is called on leaves the event to another", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers first, second;
  auto a = jobs.subscribe(into(first), {.group = "workers"});
  const auto b = jobs.subscribe(into(second), {.group = "workers"});
  jobs.publish(1);
  on.engine->step();  // the group hands the event on, and wakes a member
  CHECK(first.empty());
  CHECK(second.empty());
  a.pause();
  on.run();
  CHECK(second == numbers{1});
  CHECK(first.empty());
}

TEST_CASE("a member whose handler's owner has expired hands on and ends", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers orphaned, seen;
  auto owner = std::make_shared<int>();
  const auto gone = jobs.subscribe(into(orphaned), {.group = "workers", .owner = owner});
  const auto other = jobs.subscribe(into(seen), {.group = "workers"});
  owner.reset();
  for (const int i : one_to(100)) {
    jobs.publish(i);
    on.run();
  }
  CHECK(orphaned.empty());
  CHECK(sorted(seen) == one_to(100));
  CHECK_FALSE(gone.active());
  CHECK(group_of(on).members == 1);
}

TEST_CASE("a group ends with its last member, and one of the same name begins anew", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  auto a = jobs.subscribe(into(seen), {.capacity = 8, .group = "workers"});
  auto b = jobs.subscribe(into(seen), {.capacity = 8, .group = "workers"});
  a.cancel();
  CHECK(group_of(on).members == 1);
  b.cancel();
  CHECK(group_of(on).kind.empty());
  jobs.publish(1);
  const auto c = jobs.subscribe(into(seen), {.capacity = 9, .group = "workers"});
  jobs.publish(2);
  on.run();
  CHECK(seen == numbers{2});
}

TEST_CASE("a group that its overflow disconnects ends its members", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  const subscribe_options touchy{.overflow = overflow::disconnect, .capacity = 4, .group = "workers"};
  auto a = jobs.subscribe(into(seen), touchy);
  auto b = jobs.subscribe(into(seen), touchy);
  a.pause(), b.pause();
  for (const int i : one_to(100)) {
    jobs.publish(i);
    on.run();
  }
  a.resume();
  on.run();
  CHECK_FALSE(a.active());
  CHECK_FALSE(b.active());
  seen.clear();
  const auto fresh = jobs.subscribe(into(seen), touchy);
  jobs.publish(101);
  on.run();
  CHECK(seen == numbers{101});
}

TEST_CASE("the members of a group are told the end of the topic after its last event, and end", "[group]") {
  manual_bus on;
  auto jobs = on.bus.topic<int>("jobs");
  numbers seen;
  int ends = 0;
  const auto handler = overloaded{[&](const int& i) { seen.push_back(i); }, [&](const finished&) { ++ends; }};
  const auto a = jobs.subscribe(handler, {.group = "workers"});
  const auto b = jobs.subscribe(handler, {.group = "workers"});
  for (const int i : one_to(100)) jobs.publish(i);
  jobs.finish();
  on.run();
  CHECK(sorted(seen) == one_to(100));
  CHECK(ends == 2);
  CHECK_FALSE(a.active());
  CHECK_FALSE(b.active());
  CHECK(group_of(on).kind.empty());
}
