// Model: in a stream of events publishers push and look without a fence (lane::is_fenced, doorbell::ring_unfenced);
// before the topic's actor rests it asks them to fence again and issues a fence in all threads
// (topic_core::set_fenced). No wake-up may be lost.
#include "tests/catch.hpp"
#include "tests/model/bell_states.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/tso_memory.hpp"

using namespace actorbus::model;

namespace {

struct push_in_a_stream {
  static constexpr std::size_t threads = 3;  // two publishers, the actor
  static constexpr std::size_t actor = 2;
  enum variable { lane_0, lane_1, fenced_0, fenced_1, bell, wakes };
  enum step_of_publisher : std::uint8_t { push, look_whether_fenced, ring_fence, ring_look, ring_change, wake, left };
  enum step_of_actor : std::uint8_t {
    asleep,
    begin,
    unfence_0,
    unfence_1,
    look_0,
    look_1,
    fence_0,
    fence_1,
    issue_0,
    issue_1,
    issue_own,
    rest,
    rest_fence,
    look_again_0,
    look_again_1,
    ring_out
  };

  tso_memory<threads, 6> memory = all_fenced();
  std::uint8_t issues = 1;      // the fence in all threads
  std::uint8_t asks_first = 1;  // for fences, before it issues that
  std::uint8_t pushes = 2;
  std::uint8_t at[threads] = {push, push, asleep};
  std::uint8_t has_work = 0;
  std::int8_t pushed[2] = {0, 0};
  std::int8_t drained[2] = {0, 0};

  static tso_memory<threads, 6> all_fenced() {
    tso_memory<threads, 6> start;
    start[fenced_0] = start[fenced_1] = 1;
    return start;
  }

  const char* step(std::size_t t) { return t < actor ? publish(t) : own(); }

  const char* publish(std::size_t t) {
    auto go = [&](step_of_publisher to, const char* name) { return at[t] = to, name; };
    switch (at[t]) {
      case push:
        return memory.store(t, t, ++pushed[t]), go(look_whether_fenced, "lane::push");
      case look_whether_fenced:
        return go(memory.load(t, fenced_0 + t) != 0 ? ring_fence : ring_look, "lane::is_fenced");
      case ring_fence:
        return memory.is_drained(t) ? go(ring_look, "doorbell::ring, fence") : nullptr;
      case ring_look:
        return go(memory.load(t, bell) == idle ? ring_change : next(t), "doorbell::is_idle");
      case ring_change:
        if (!memory.is_drained(t)) return nullptr;
        return go(memory.change(bell, idle, rung) ? wake : next(t), "doorbell::change");
      case wake:
        return ++memory[wakes], go(next(t), "waker::wake");
      default:
        return nullptr;
    }
  }
  step_of_publisher next(std::size_t t) const { return pushed[t] < pushes ? push : left; }

  const char* own() {
    constexpr std::size_t t = actor;
    auto go = [&](step_of_actor to, const char* name) { return at[t] = to, name; };
    const bool exchanges = at[t] == asleep || at[t] == begin || at[t] == ring_out;
    if (exchanges && !memory.is_drained(t)) return nullptr;
    switch (at[t]) {
      case asleep:
        return memory[wakes] == 0 ? nullptr : (--memory[wakes], go(begin, "activity::run"));
      case begin:
        return go(memory.change(bell, rung, running) ? unfence_0 : asleep, "doorbell::begin");
      case unfence_0:
        return memory.store(t, fenced_0, 0), go(unfence_1, "lane::set_fenced(false)");
      case unfence_1:
        return memory.store(t, fenced_1, 0), go(look_0, "lane::set_fenced(false)");
      case look_0:
        return drained[0] = memory.load(t, lane_0), go(look_1, "topic_core::look_at_lanes");
      case look_1:
        return drained[1] = memory.load(t, lane_1), go(asks_first != 0 ? fence_0 : issue_0, "topic_core::drain_to");
      case fence_0:
        return memory.store(t, fenced_0, 1), go(fence_1, "lane::set_fenced(true)");
      case fence_1:
        return memory.store(t, fenced_1, 1), go(asks_first != 0 ? issue_own : rest, "lane::set_fenced(true)");
      case issue_own:
        if (issues != 0 && !memory.is_drained(t)) return nullptr;
        return go(asks_first != 0 ? issue_0 : fence_0, "process_fence::issue, its own thread");
      case issue_0:  // each thread's comes when it comes
        if (issues != 0 && !memory.is_drained(0)) return nullptr;
        return go(issue_1, "process_fence::issue, a publisher");
      case issue_1:
        if (issues != 0 && !memory.is_drained(1)) return nullptr;
        return go(asks_first != 0 ? rest : issue_own, "process_fence::issue, the other publisher");
      case rest:
        return memory.store(t, bell, idle), has_work = 0, go(rest_fence, "doorbell::rest");
      case rest_fence:
        return memory.is_drained(t) ? go(look_again_0, "doorbell::rest, fence") : nullptr;
      case look_again_0:
        has_work = memory.load(t, lane_0) != drained[0];
        return go(look_again_1, "topic_core::look_for_work");
      case look_again_1:
        has_work = has_work != 0 || memory.load(t, lane_1) != drained[1];
        return go(has_work != 0 ? ring_out : asleep, "topic_core::look_for_work");
      case ring_out:
        return go(memory.change(bell, idle, rung) ? begin : asleep, "doorbell::ring_out");
      default:
        return nullptr;
    }
  }

  const char* wrong() const { return nullptr; }
  const char* wrong_at_end() const {
    return drained[0] == pushed[0] && drained[1] == pushed[1] ? nullptr : "a wake-up was lost";
  }
};

}  // namespace

TEST_CASE("no wake-up is lost when publishers do without fences while a stream of events lasts", "[model]") {
  const finding found = explore(push_in_a_stream{});
  CHECK(found.told() == "");
  CHECK(found.states > 1'000);
}

TEST_CASE("without the fence in all threads the model of a stream loses a wake-up", "[model]") {
  push_in_a_stream without;
  without.issues = 0;
  CHECK(explore(without).wrong == "a wake-up was lost");
}

TEST_CASE("a fence in all threads before publishers are asked to fence loses a wake-up", "[model]") {
  push_in_a_stream too_late;
  too_late.asks_first = 0;
  CHECK(explore(too_late).wrong == "a wake-up was lost");
}
