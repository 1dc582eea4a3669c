#include <actors/caf_engine.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "tests/actors/engine_under_test.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using namespace actorbus::tests;
using actorbus::placement;

namespace {

/// Some user's actor: counts what it is sent.
class counter : public caf::event_based_actor {
 public:
  counter(caf::actor_config& config, std::atomic<int>& count, actorbus::core::wait_point& at)
      : event_based_actor(config), count_(count), changed_(at) {}

  caf::behavior make_behavior() override {
    return {[this](caf::tick_atom) {
      ++count_;
      changed_.publish();
    }};
  }

 private:
  std::atomic<int>& count_;
  actorbus::core::wait_point& changed_;
};

/// The same as an activity.
class counting : public actorbus::activity {
 public:
  counting(std::atomic<int>& count, actorbus::core::wait_point& at) : count_(count), changed_(at) {}

  bool run() override {
    ++count_;
    changed_.publish();
    return false;
  }

 private:
  std::atomic<int>& count_;
  actorbus::core::wait_point& changed_;
};

engine_kind any_caf_engine() { return GENERATE(engine_kind::park, engine_kind::spin, engine_kind::hosted); }

}  // namespace

TEST_CASE("an alarm of an activity on its own thread goes off while every worker is busy", "[caf_engine]") {
  const auto kind = any_caf_engine();
  CAPTURE(kind);
  engine_under_test engine(kind, 2);
  blocker first(engine);
  blocker second(engine);
  std::atomic<bool> rung{false};
  worker sleeper(
      engine, [&] { return rung = true, false; }, placement::own_thread);
  sleeper.bell->wake_at(engine->now() + 1ms);
  engine.until([&] { return rung.load(); });
  first.release();
  second.release();
  engine->stop();
  CHECK(rung.load());
}

TEST_CASE("an activity on its own thread always runs on the same one, and nobody else does", "[caf_engine]") {
  const auto kind = any_caf_engine();
  CAPTURE(kind);
  engine_under_test engine(kind, 2);
  std::set<std::thread::id> own;
  std::set<std::thread::id> pool;
  std::atomic<int> slices{0};
  worker alone(
      engine, [&] { return own.insert(std::this_thread::get_id()), ++slices, false; }, placement::own_thread);
  worker among(engine, [&] { return pool.insert(std::this_thread::get_id()), ++slices, false; });
  for (int i = 1; i <= 50; ++i) {
    alone.wake();
    among.wake();
    engine.until([&] { return slices.load() == 2 * i; });
  }
  engine->stop();
  REQUIRE(own.size() == 1);
  CHECK(pool.count(*own.begin()) == 0);
}

TEST_CASE("stopping returns only when no slice runs", "[caf_engine]") {
  const auto kind = any_caf_engine();
  CAPTURE(kind);
  engine_under_test engine(kind, 1);
  std::atomic<bool> started{false};
  std::atomic<bool> may_end{false};
  bool ended = false;  // plain: the stop orders it
  actorbus::core::wait_point gate;
  worker slow(engine, [&] {
    started.store(true);
    engine.changed.publish();
    gate.wait_until(actorbus::engine::time_point::max(), [&] { return may_end.load(); });
    ended = true;
    return true;
  });
  slow.wake();
  engine.until([&] { return started.load(); });
  std::thread releaser([&] {
    may_end.store(true);
    gate.publish();
  });
  engine->stop();
  CHECK(ended);
  releaser.join();
}

TEST_CASE("a stop does not wait for the threads that made the engine or woke on it", "[caf_engine]") {
  const auto idle = GENERATE(actorbus::idle_strategy::park, actorbus::idle_strategy::spin);
  std::shared_ptr<actorbus::engine> engine;
  std::atomic<bool> woken{false};
  std::atomic<bool> stopped{false};
  actorbus::core::wait_point changed;
  std::thread maker([&] {
    engine = actorbus::make_caf_engine({.workers = 1, .idle = idle});
    struct nothing : actorbus::activity {
      bool run() override { return false; }
    };
    const auto what = std::make_shared<nothing>();
    const auto bell = engine->add(what, placement::pool);
    bell->wake();
    woken.store(true);
    changed.publish();
    changed.wait_until(actorbus::engine::time_point::max(), [&] { return stopped.load(); });
  });
  changed.wait_until(actorbus::engine::time_point::max(), [&] { return woken.load(); });
  engine->stop();
  stopped.store(true);
  changed.publish();
  maker.join();
}

TEST_CASE("wakes, alarms, new wakers and their ends may meet the stop", "[caf_engine]") {
  const auto kind = any_caf_engine();
  const auto where = GENERATE(placement::pool, placement::own_thread);
  CAPTURE(kind);
  for (int round = 0; round < 20; ++round) {
    engine_under_test engine(kind, 2);
    std::atomic<bool> stopped{false};
    std::atomic<int> slices{0};
    std::atomic<bool> late{false};
    const auto slice = [&] {
      if (stopped.load()) late.store(true);
      ++slices;
      return false;
    };
    worker lasting(engine, slice, where);
    std::atomic<bool> enough{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        while (!enough.load()) {
          lasting.wake();
          lasting.bell->wake_at(engine->now() + 10us);
          std::atomic<bool> ran{false};
          worker brief(
              engine, [&] { return slice(), ran = true, false; }, where);
          brief.wake();
          while (!ran.load() && !enough.load()) std::this_thread::yield();
        }
      });
    }
    engine.until([&] { return slices.load() > 10; });
    engine->stop();
    stopped.store(true);
    enough.store(true);
    for (auto& thread : threads) thread.join();
    CHECK_FALSE(late.load());
  }
}

TEST_CASE("a stop leaves the actors and the workers of a hosting system alone", "[caf_engine]") {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  caf::actor_system system{config};
  std::atomic<int> ticks{0};
  std::atomic<int> slices{0};
  actorbus::core::wait_point changed;
  const auto reaches = [&](const std::atomic<int>& count, int expected) {
    changed.wait_until(actorbus::engine::time_point::max(), [&] { return count.load() == expected; });
  };
  const auto users = system.spawn<counter>(std::ref(ticks), std::ref(changed));
  const auto first = actorbus::engine_on(system);
  const auto second = actorbus::engine_on(system);
  const auto what = std::make_shared<counting>(slices, changed);
  const auto of_first = first->add(what, placement::pool);
  const auto of_second = second->add(what, placement::own_thread);
  of_first->wake();
  reaches(slices, 1);
  first->stop();
  caf::anon_send(users, caf::tick_atom_v);
  reaches(ticks, 1);
  of_first->wake();
  of_second->wake();
  reaches(slices, 2);
  second->stop();
  caf::anon_send(users, caf::tick_atom_v);
  reaches(ticks, 2);
  CHECK(slices.load() == 2);
}

TEST_CASE("the hook is called once on each thread, before anything of ours runs there", "[caf_engine]") {
  const auto idle = GENERATE(actorbus::idle_strategy::park, actorbus::idle_strategy::spin);
  std::mutex mutex;
  std::vector<std::thread::id> started;
  auto engine = actorbus::make_caf_engine({.workers = 2, .idle = idle, .on_thread_start = [&] {
                                             std::lock_guard lock(mutex);
                                             started.push_back(std::this_thread::get_id());
                                           }});
  struct where_am_i : actorbus::activity {
    bool run() override {
      ran_on = std::this_thread::get_id();
      ran.store(true);
      changed.publish();
      return false;
    }
    std::thread::id ran_on;
    std::atomic<bool> ran{false};
    actorbus::core::wait_point changed;
  };
  std::vector<std::thread::id> ran_on;
  for (const auto where : {placement::pool, placement::own_thread}) {
    auto what = std::make_shared<where_am_i>();
    auto bell = engine->add(what, where);
    bell->wake();
    engine->wait(what->changed, actorbus::engine::time_point::max(), [&] { return what->ran.load(); });
    bell.reset();
    ran_on.push_back(what->ran_on);
  }
  engine->stop();
  for (const auto& id : ran_on) CHECK(std::count(started.begin(), started.end(), id) == 1);
  CHECK(started.size() >= 4);  // two workers, the clock, one own thread; and whatever else CAF starts
}

TEST_CASE("an engine that was never stopped stops when it is destroyed", "[caf_engine]") {
  const auto kind = any_caf_engine();
  CAPTURE(kind);
  std::atomic<int> slices{0};
  std::optional<engine_under_test> engine(kind);
  worker restless(*engine, [&] { return ++slices, true; });
  restless.wake();
  engine->until([&] { return slices.load() > 0; });
  engine->destroy();
  const int at_end = slices.load();
  restless.wake();
  CHECK(slices.load() == at_end);
}
