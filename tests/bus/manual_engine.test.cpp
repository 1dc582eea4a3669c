#include <bus/manual_engine.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bus/wait_point.hpp>
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using actorbus::manual_engine;
using actorbus::placement;

namespace {

class job : public actorbus::activity {
 public:
  explicit job(std::function<bool()> slice) : slice_(std::move(slice)) {}
  bool run() override { return slice_(); }

 private:
  std::function<bool()> slice_;
};

/// A job and its waker, in one life.
struct hired {
  hired(manual_engine& on, std::function<bool()> slice, placement where = placement::pool)
      : what(std::make_shared<job>(std::move(slice))), bell(on.add(what, where)) {}

  std::shared_ptr<job> what;
  std::unique_ptr<actorbus::waker> bell;
};

const auto never = manual_engine::time_point::max();

}  // namespace

TEST_CASE("the manual engine runs what was woken, in the order of the wakes", "[manual_engine]") {
  manual_engine engine;
  std::string order;
  hired a(engine, [&] { return order += 'a', false; });
  hired b(
      engine, [&] { return order += 'b', false; }, placement::own_thread);
  b.bell->wake();
  a.bell->wake();
  b.bell->wake();
  CHECK(order.empty());
  CHECK(engine.run() == 2);
  CHECK(order == "ba");
  CHECK(engine.run() == 0);
}

TEST_CASE("the manual engine lets others run between the slices of an activity", "[manual_engine]") {
  manual_engine engine;
  std::string order;
  int left = 2;
  hired a(engine, [&] { return order += 'a', left-- > 0; });
  hired b(engine, [&] { return order += 'b', false; });
  a.bell->wake();
  b.bell->wake();
  CHECK(engine.step());
  CHECK(order == "a");
  CHECK(engine.run() == 3);
  CHECK(order == "abaa");
  CHECK_FALSE(engine.step());
}

TEST_CASE("the manual engine reports an activity that never comes to rest", "[manual_engine]") {
  manual_engine engine;
  hired restless(engine, [] { return true; });
  restless.bell->wake();
  CHECK_THROWS_AS(engine.run(100), std::logic_error);
}

TEST_CASE("no time passes on the manual engine until a test says so", "[manual_engine]") {
  manual_engine engine;
  const auto start = engine.now();
  const auto wall = engine.wall_now();
  CHECK(engine.now() == start);
  engine.advance(90ms);
  CHECK(engine.now() == start + 90ms);
  CHECK(engine.wall_now() == wall + 90ms);
  engine.set_wall(wall - 1h);
  CHECK(engine.wall_now() == wall - 1h);
  CHECK(engine.now() == start + 90ms);
}

TEST_CASE("advancing the manual engine wakes each activity at its time and in the order of the times",
          "[manual_engine]") {
  manual_engine engine;
  const auto start = engine.now();
  std::vector<std::pair<char, std::chrono::nanoseconds>> seen;
  hired a(engine, [&] { return seen.emplace_back('a', engine.now() - start), false; });
  hired b(engine, [&] { return seen.emplace_back('b', engine.now() - start), false; });
  a.bell->wake_at(start + 30ms);
  b.bell->wake_at(start + 10ms);
  b.bell->wake_at(start + 30ms);
  a.bell->wake_at(start + 20ms);
  a.bell->wake_at(start + 2s);
  CHECK(engine.advance(1s) == 4);
  const std::vector<std::pair<char, std::chrono::nanoseconds>> expected{
      {'b', 10ms}, {'a', 20ms}, {'a', 30ms}, {'b', 30ms}};
  CHECK(seen == expected);
  CHECK(engine.now() == start + 1s);
}

TEST_CASE("a wake set for a time already reached needs no passing of time", "[manual_engine]") {
  manual_engine engine;
  int slices = 0;
  hired a(engine, [&] { return ++slices, false; });
  a.bell->wake_at(engine.now());
  CHECK(engine.run() == 1);
  CHECK(slices == 1);
}

TEST_CASE("what an alarm sets in motion runs before time goes on", "[manual_engine]") {
  manual_engine engine;
  const auto start = engine.now();
  auto seen_at = start;
  hired second(engine, [&] { return seen_at = engine.now(), false; });
  hired first(engine, [&] { return second.bell->wake(), false; });
  first.bell->wake_at(start + 10ms);
  engine.advance(1s);
  CHECK(seen_at == start + 10ms);
}

TEST_CASE("waiting on the manual engine passes just the time that is needed", "[manual_engine]") {
  manual_engine engine;
  actorbus::core::wait_point at;
  const auto start = engine.now();
  bool rung = false;
  hired a(engine, [&] { return rung = true, false; });
  a.bell->wake_at(start + 10ms);
  CHECK(engine.wait(at, never, [&] { return rung; }));
  CHECK(engine.now() == start + 10ms);
}

TEST_CASE("waiting on the manual engine ends at the deadline", "[manual_engine]") {
  manual_engine engine;
  actorbus::core::wait_point at;
  const auto start = engine.now();
  hired late(engine, [] { return false; });
  late.bell->wake_at(start + 1h);
  CHECK_FALSE(engine.wait(at, start + 1s, [] { return false; }));
  CHECK(engine.now() == start + 1s);
  CHECK(engine.wait(at, start + 2s, [&] { return engine.now() == start + 2s; }));
}

TEST_CASE("waiting on the manual engine for what cannot come is a logic error", "[manual_engine]") {
  manual_engine engine;
  actorbus::core::wait_point at;
  hired gone(engine, [] { return false; });
  gone.bell->wake_at(engine.now() + 1h);
  gone.what.reset();
  const auto start = engine.now();
  CHECK_THROWS_AS(engine.wait(at, never, [] { return false; }), std::logic_error);
  CHECK(engine.now() == start);
}

TEST_CASE("an activity that waits on the manual engine lets others run, and is not run again meanwhile",
          "[manual_engine]") {
  manual_engine engine;
  actorbus::core::wait_point at;
  std::string order;
  bool answered = false;
  hired answering(engine, [&] { return order += 'b', answered = true, false; });
  hired asking(engine, [] { return false; });
  int slices = 0;
  hired waiting(engine, [&] {
    if (++slices > 1) return order += 'c', false;
    order += 'a';
    waiting.bell->wake();
    answering.bell->wake();
    CHECK(engine.wait(at, never, [&] { return answered; }));
    CHECK(slices == 1);
    return false;
  });
  waiting.bell->wake();
  engine.run();
  CHECK(order == "abc");
}

TEST_CASE("the manual engine runs neither the gone nor the unwakeable", "[manual_engine]") {
  manual_engine engine;
  int slices = 0;
  hired gone(engine, [&] { return ++slices, false; });
  hired unwakeable(engine, [&] { return ++slices, false; });
  gone.bell->wake();
  gone.what.reset();
  unwakeable.bell->wake();
  unwakeable.bell->wake_at(engine.now() + 1s);
  unwakeable.bell.reset();
  CHECK(engine.advance(1h) == 0);
  CHECK(slices == 0);
}

TEST_CASE("other threads wake on the manual engine but do not drive it", "[manual_engine]") {
  manual_engine engine;
  actorbus::core::wait_point at;
  int slices = 0;
  hired a(engine, [&] { return ++slices, false; });
  bool refused = false;
  std::thread([&] {
    a.bell->wake();
    try {
      engine.wait(at, never, [] { return true; });
    } catch (const std::logic_error&) {
      refused = true;
    }
  }).join();
  CHECK(refused);
  CHECK(slices == 0);
  CHECK(engine.run() == 1);
}
