// Model: publishers push into lanes and ring (lane::push, doorbell::ring); the topic's actor, or a thread that helps,
// drains, rests and looks once more (topic_core::run, help, rest_or_continue). No wake-up may be lost.
#include "tests/catch.hpp"
#include "tests/model/bell_states.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/tso_memory.hpp"

using namespace actorbus::model;

namespace {

struct push_and_rest {
  static constexpr std::size_t threads = 4;  // two publishers, the actor, a helper
  static constexpr std::size_t actor = 2, helper = 3;
  enum variable { lane_0, lane_1, bell, wakes };
  enum step_of_publisher : std::uint8_t { push, ring_fence, ring_look, ring_change, wake, left };
  enum step_of_owner : std::uint8_t {
    asleep,
    begin,
    take,
    look_0,
    look_1,
    rest,
    rest_fence,
    look_again_0,
    look_again_1,
    ring_out,
    gone
  };

  tso_memory<threads, 4> memory;
  std::uint8_t fence_in_ring = 1;
  std::uint8_t fence_in_rest = 1;
  std::uint8_t pushes = 2;
  std::uint8_t at[threads] = {push, push, asleep, take};
  std::uint8_t has_work[2] = {0, 0};  // the actor's and the helper's second look
  std::int8_t pushed[2] = {0, 0};
  std::int8_t drained[2] = {0, 0};

  const char* step(std::size_t t) { return t < actor ? publish(t) : own(t); }

  const char* publish(std::size_t t) {
    auto go = [&](step_of_publisher to, const char* name) { return at[t] = to, name; };
    switch (at[t]) {
      case push:
        return memory.store(t, t, ++pushed[t]), go(ring_fence, "lane::push");
      case ring_fence:
        if (fence_in_ring != 0 && !memory.is_drained(t)) return nullptr;
        return go(ring_look, "doorbell::ring, fence");
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

  const char* own(std::size_t t) {
    auto go = [&](step_of_owner to, const char* name) { return at[t] = to, name; };
    std::uint8_t& work = has_work[t - actor];
    const bool exchanges = at[t] == asleep || at[t] == begin || at[t] == take || at[t] == ring_out;
    if (exchanges && !memory.is_drained(t)) return nullptr;
    switch (at[t]) {
      case asleep:
        if (memory[wakes] == 0) return nullptr;
        return --memory[wakes], go(begin, "activity::run");
      case begin:
        return go(memory.change(bell, rung, running) ? look_0 : asleep, "doorbell::begin");
      case take:
        if (memory[bell] == running) return go(gone, "doorbell::take fails");
        return memory[bell] = running, go(look_0, "doorbell::take");
      case look_0:
        return drained[0] = memory.load(t, lane_0), go(look_1, "topic_core::look_at_lanes");
      case look_1:
        return drained[1] = memory.load(t, lane_1), go(rest, "topic_core::drain_to");
      case rest:
        return memory.store(t, bell, idle), work = 0, go(rest_fence, "doorbell::rest");
      case rest_fence:
        if (fence_in_rest != 0 && !memory.is_drained(t)) return nullptr;
        return go(look_again_0, "doorbell::rest, fence");
      case look_again_0:
        return look_again(work, t, 0), go(look_again_1, "topic_core::has_work");
      case look_again_1:
        look_again(work, t, 1);
        return go(work != 0 ? ring_out : t == actor ? asleep : gone, "topic_core::has_work");
      case ring_out:
        if (!memory.change(bell, idle, rung)) return go(t == actor ? asleep : gone, "doorbell::ring_out in vain");
        if (t == actor) return go(begin, "doorbell::ring_out");  // run() says true and is called again
        return ++memory[wakes], go(gone, "topic_core::wake");
      default:
        return nullptr;
    }
  }
  /// By counts that may be another owner's by now: then that one looks again too.
  void look_again(std::uint8_t& work, std::size_t t, std::size_t lane) {
    work = work != 0 || memory.load(t, lane) != drained[lane];
  }

  const char* wrong() const {
    const int owners = owns(actor) + owns(helper);
    return owners > 1 ? "two run at once" : nullptr;
  }
  int owns(std::size_t t) const { return at[t] >= look_0 && at[t] <= rest ? 1 : 0; }
  const char* wrong_at_end() const {
    return drained[0] == pushed[0] && drained[1] == pushed[1] ? nullptr : "a wake-up was lost";
  }
};

}  // namespace

TEST_CASE("no wake-up is lost between a push and a topic that goes to rest", "[model]") {
  const finding found = explore(push_and_rest{});
  CHECK(found.told() == "");
  CHECK(found.states > 1'000);
}

TEST_CASE("without the fence in ring the model loses a wake-up", "[model]") {
  const finding found = explore(push_and_rest{.memory = {}, .fence_in_ring = 0});
  CHECK(found.wrong == "a wake-up was lost");
}

TEST_CASE("without the fence in rest the model loses a wake-up", "[model]") {
  const finding found = explore(push_and_rest{.memory = {}, .fence_in_rest = 0});
  CHECK(found.wrong == "a wake-up was lost");
}
