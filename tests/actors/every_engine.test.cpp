// What bus/engine.hpp promises, of every engine there is.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/actors/engine_under_test.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using namespace actorbus::tests;
using actorbus::placement;

namespace {

engine_kind any_engine() {
  return GENERATE(engine_kind::manual, engine_kind::park, engine_kind::spin, engine_kind::hosted);
}

placement any_place() { return GENERATE(placement::pool, placement::own_thread); }

}  // namespace

TEST_CASE("a wake leads to a slice that sees what was written before", "[engine]") {
  const auto kind = any_engine();
  const auto where = any_place();
  CAPTURE(kind);
  engine_under_test engine(kind);
  int asked = 0;
  int total = 0;
  std::atomic<int> answered{0};
  worker adder(
      engine,
      [&] {
        total += asked;  // plain: the engine orders the writer and this slice, and this one and the last
        answered.fetch_add(1);
        return false;
      },
      where);
  for (int i = 1; i <= 200; ++i) {
    asked = i;
    adder.wake();
    engine.until([&] { return answered.load() == i; });
  }
  engine->stop();
  CHECK(total == 200 * 201 / 2);
}

TEST_CASE("a wake during a slice leads to another slice", "[engine]") {
  const auto kind = any_engine();
  const auto where = any_place();
  CAPTURE(kind);
  engine_under_test engine(kind);
  std::atomic<int> slices{0};
  std::optional<worker> self;
  self.emplace(
      engine,
      [&] {
        if (slices.fetch_add(1) == 0) self->wake();
        return false;
      },
      where);
  self->wake();
  engine.until([&] { return slices.load() == 2; });
  engine->stop();
  CHECK(slices.load() == 2);
}

TEST_CASE("an activity never runs twice at once and misses no wake, however many threads wake it", "[engine]") {
  const auto kind = any_engine();
  const auto where = any_place();
  CAPTURE(kind);
  engine_under_test engine(kind);
  std::atomic<int> posted{0};
  int taken = 0;  // plain: slices follow each other
  std::atomic<bool> inside{false};
  std::atomic<bool> overlapped{false};
  std::atomic<int> seen{0};
  worker taker(
      engine,
      [&] {
        if (inside.exchange(true)) overlapped.store(true);
        taken += posted.exchange(0, std::memory_order_relaxed);
        inside.store(false);
        seen.store(taken, std::memory_order_relaxed);
        return false;
      },
      where);
  constexpr int threads = 4;
  constexpr int wakes = 2'000;
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < wakes; ++j) {
        posted.fetch_add(1, std::memory_order_relaxed);
        taker.wake();
      }
    });
  }
  for (auto& poster : posters) poster.join();
  engine.until([&] { return seen.load(std::memory_order_relaxed) == threads * wakes; });
  engine->stop();
  CHECK_FALSE(overlapped.load());
  CHECK(taken == threads * wakes);
}

TEST_CASE("a slice that wants more goes behind the others that are awake", "[engine]") {
  const auto kind = any_engine();
  CAPTURE(kind);
  engine_under_test engine(kind, 1);
  std::string order;
  int left = 2;
  std::atomic<bool> done{false};
  worker a(engine, [&] {
    order += 'a';
    if (left-- > 0) return true;
    done.store(true);
    return false;
  });
  worker b(engine, [&] { return order += 'b', false; });
  std::optional<blocker> busy;
  if (!engine.is_manual()) busy.emplace(engine);
  a.wake();
  b.wake();
  if (busy) busy->release();
  engine.until([&] { return done.load(); });
  engine->stop();
  CHECK(order == "abaa");
}

TEST_CASE("an activity is run only while somebody keeps it alive", "[engine]") {
  const auto kind = any_engine();
  CAPTURE(kind);
  engine_under_test engine(kind, 1);
  std::atomic<int> slices{0};
  std::atomic<bool> passed{false};
  worker gone(engine, [&] { return ++slices, false; });
  worker last(engine, [&] { return passed = true, false; });
  std::optional<blocker> busy;
  if (!engine.is_manual()) busy.emplace(engine);
  gone.wake();
  gone.what.reset();
  last.wake();
  if (busy) busy->release();
  engine.until([&] { return passed.load(); });
  CHECK(slices.load() == 0);
}

TEST_CASE("a waker may be destroyed in its own activity's slice, which is then the last", "[engine]") {
  const auto kind = any_engine();
  CAPTURE(kind);
  engine_under_test engine(kind, 1);
  std::atomic<int> slices{0};
  std::atomic<int> passes{0};
  std::optional<worker> self;
  self.emplace(engine, [&] {
    ++slices;
    self->wake();
    self->bell.reset();
    return true;
  });
  worker passer(engine, [&] { return ++passes < 10; });
  self->wake();
  passer.wake();
  engine.until([&] { return passes.load() == 10; });
  CHECK(slices.load() == 1);
}

TEST_CASE("an activity may go, and its waker with it, at the end of its slice", "[engine]") {
  const auto kind = any_engine();
  const auto where = any_place();
  CAPTURE(kind);
  engine_under_test engine(kind);
  std::atomic<bool> freed{false};
  struct self_owner : actorbus::activity {
    explicit self_owner(std::function<void()> last) : last_word(std::move(last)) {}
    ~self_owner() override { last_word(); }
    bool run() override {
      self.reset();
      return true;
    }
    std::function<void()> last_word;
    std::shared_ptr<self_owner> self;
    std::unique_ptr<actorbus::waker> bell;
  };
  auto owner = std::make_shared<self_owner>([&] {
    freed.store(true);
    engine.changed.publish();
  });
  owner->bell = engine->add(owner, where);
  owner->self = owner;
  auto* const bell = owner->bell.get();
  owner.reset();
  bell->wake();
  engine.until([&] { return freed.load(); });
  engine->stop();
  CHECK(freed.load());
}

TEST_CASE("an activity may add, wake and destroy others", "[engine]") {
  const auto kind = any_engine();
  CAPTURE(kind);
  engine_under_test engine(kind);
  std::atomic<int> born{0};
  std::unique_ptr<worker> child;
  worker parent(engine, [&] {
    child = std::make_unique<worker>(engine, [&] { return ++born, false; });
    child->wake();
    return false;
  });
  for (int i = 1; i <= 20; ++i) {
    parent.wake();
    engine.until([&] { return born.load() == i; });
  }
  engine->stop();
  CHECK(born.load() == 20);
}

TEST_CASE("an alarm wakes no earlier than its time, and earlier ones stay in force", "[engine]") {
  const auto kind = any_engine();
  const auto where = any_place();
  CAPTURE(kind);
  engine_under_test engine(kind);
  const auto start = engine->now();
  const auto first = start + 2ms;
  const auto second = start + 4ms;
  std::atomic<actorbus::engine::time_point> last_run{start};
  std::atomic<bool> early{false};
  worker sleeper(
      engine,
      [&] {
        const auto now = engine->now();
        if (now < first) early.store(true);
        last_run.store(now);
        return false;
      },
      where);
  sleeper.bell->wake_at(second);
  sleeper.bell->wake_at(first);
  engine.until([&] { return last_run.load() >= first; });
  engine.until([&] { return last_run.load() >= second; });
  const auto before = engine->now();
  sleeper.bell->wake_at(start);
  engine.until([&] { return last_run.load() >= before; });
  CHECK_FALSE(early.load());
}

TEST_CASE("waiting ends at its deadline", "[engine]") {
  const auto kind = any_engine();
  CAPTURE(kind);
  engine_under_test engine(kind);
  const auto deadline = engine->now() + 1ms;
  CHECK_FALSE(engine->wait(engine.changed, deadline, [] { return false; }));
  CHECK(engine->now() >= deadline);
  CHECK(engine->wait(engine.changed, deadline, [] { return true; }));
}

TEST_CASE("after the stop nothing runs, and wakers do nothing, also when they outlive the engine", "[engine]") {
  const auto kind = any_engine();
  const auto where = any_place();
  CAPTURE(kind);
  std::optional<engine_under_test> engine(kind);
  std::atomic<int> slices{0};
  worker restless(
      *engine, [&] { return ++slices, true; }, where);
  worker alarmed(
      *engine, [&] { return ++slices, false; }, where);
  worker asleep(
      *engine, [&] { return ++slices, false; }, where);
  restless.wake();
  if (!engine->is_manual()) engine->until([&] { return slices.load() > 0; });
  alarmed.bell->wake_at((*engine)->now() + 1h);
  (*engine)->stop();
  const int at_stop = slices.load();
  worker late(
      *engine, [&] { return ++slices, false; }, where);
  for (auto* each : {&restless, &alarmed, &asleep, &late}) {
    each->wake();
    each->bell->wake_at((*engine)->now() + 1ms);
  }
  engine->destroy();
  for (auto* each : {&restless, &alarmed, &asleep, &late}) each->wake();
  CHECK(slices.load() == at_stop);
}
