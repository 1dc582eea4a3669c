// Model: threads wait for a condition (wait_point::wait_until) that another makes true and announces
// (wait_point::publish), which costs nothing while nobody is counted as waiting. No waiter may sleep on.
#include "tests/catch.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/tso_memory.hpp"

using namespace actorbus::model;

namespace {

struct wait_and_notify {
  static constexpr std::size_t threads = 3;  // two waiters, one who notifies
  static constexpr std::size_t notifier = 2;
  enum variable { condition, waiting, mutex };
  enum step_of_waiter : std::uint8_t { count_in, wait_fence, lock, check, sleep, asleep, unlock, count_out, away };
  enum step_of_notifier : std::uint8_t { change, publish_fence, look, lock_once, unlock_once, notify_all, done };

  tso_memory<threads, 3> memory;
  std::uint8_t fence_in_publish = 1, fence_in_wait = 1;
  std::uint8_t locks_before_notifying = 1;
  std::uint8_t delays_counting = 0;  // as a weaker machine than x86 may with a relaxed fetch_add
  std::uint8_t at[threads] = {count_in, count_in, change};
  std::uint8_t sleeping[2] = {0, 0};

  const char* step(std::size_t t) { return t == notifier ? announce() : wait(t); }

  const char* wait(std::size_t t) {
    auto go = [&](step_of_waiter to, const char* name) { return at[t] = to, name; };
    const bool exchanges = at[t] == lock || at[t] == unlock || at[t] == sleep || at[t] == count_out;
    if (exchanges && !memory.is_drained(t) && delays_counting == 0) return nullptr;
    switch (at[t]) {
      case count_in:
        if (delays_counting != 0) {
          memory.store(t, waiting, memory.load(t, waiting) + 1);
        } else {
          ++memory[waiting];
        }
        return go(wait_fence, "wait_until, waiting");
      case wait_fence:
        if (fence_in_wait != 0 && !memory.is_drained(t)) return nullptr;
        return go(lock, "wait_until, fence");
      case lock:
        return memory.change(mutex, 0, 1) ? go(check, "wait_until, lock") : nullptr;
      case check:
        return go(memory.load(t, condition) != 0 ? unlock : sleep, "wait_until, done()");
      case sleep:
        return memory[mutex] = 0, sleeping[t] = 1, go(asleep, "condition_variable::wait");
      case asleep:
        return sleeping[t] != 0 ? nullptr : go(lock, "condition_variable wakes");
      case unlock:
        return memory[mutex] = 0, go(count_out, "wait_until, unlock");
      case count_out:
        if (!memory.is_drained(t)) return nullptr;
        return --memory[waiting], go(away, "wait_until ends");
      default:
        return nullptr;
    }
  }

  const char* announce() {
    constexpr std::size_t t = notifier;
    auto go = [&](step_of_notifier to, const char* name) { return at[t] = to, name; };
    switch (at[t]) {
      case change:
        return memory.store(t, condition, 1), go(publish_fence, "the change");
      case publish_fence:
        if (fence_in_publish != 0 && !memory.is_drained(t)) return nullptr;
        return go(look, "wait_point::publish, fence");
      case look:
        if (memory.load(t, waiting) == 0) return go(done, "notify: nobody waits");
        return go(locks_before_notifying != 0 ? lock_once : notify_all, "notify");
      case lock_once:
        if (!memory.is_drained(t) || !memory.change(mutex, 0, 1)) return nullptr;
        return go(unlock_once, "notify, lock");
      case unlock_once:
        return memory[mutex] = 0, go(notify_all, "notify, unlock");
      case notify_all:
        return sleeping[0] = sleeping[1] = 0, go(done, "notify_all");
      default:
        return nullptr;
    }
  }

  const char* wrong() const { return nullptr; }
  const char* wrong_at_end() const { return at[0] == away && at[1] == away ? nullptr : "a waiter sleeps on"; }
};

/// One waiter alone, so that its count may be delayed without losing another's.
wait_and_notify on_a_weaker_machine() {
  wait_and_notify model;
  model.delays_counting = 1;
  model.at[1] = wait_and_notify::away;
  return model;
}

}  // namespace

TEST_CASE("no waiter sleeps on when its condition came true and was announced", "[model]") {
  const finding found = explore(wait_and_notify{});
  CHECK(found.told() == "");
  CHECK(found.states > 100);
}

TEST_CASE("without the fence before the look at the waiters the model lets one sleep on", "[model]") {
  wait_and_notify model;
  model.fence_in_publish = 0;
  CHECK(explore(model).wrong == "a waiter sleeps on");
}

TEST_CASE("without the lock before notifying the model lets a waiter sleep on", "[model]") {
  wait_and_notify model;
  model.locks_before_notifying = 0;
  CHECK(explore(model).wrong == "a waiter sleeps on");
}

TEST_CASE("where a relaxed count may be late, the fence behind it is needed", "[model]") {
  CHECK(explore(on_a_weaker_machine()).told() == "");
  wait_and_notify model = on_a_weaker_machine();
  model.fence_in_wait = 0;
  CHECK(explore(model).wrong == "a waiter sleeps on");
}
