// Model: a topic whose readers block stalls when they are a capacity behind (topic_core::rest_or_continue,
// doorbell::stall), and a reader that made room rings it out (reader::tell_room, topic_core::made_room). No event may
// be left behind.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/model/bell_states.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/tso_memory.hpp"

using namespace actorbus::model;

namespace {

struct stall_and_room {
  static constexpr std::size_t threads = 4;  // two readers, the topic, a publisher
  static constexpr std::size_t topic = 2;    // the publisher is 3
  enum variable { position_0, position_1, bell, wakes, end, lane };
  enum step_of_reader : std::uint8_t { read, room_fence, look_stalled, look_room, reader_rings };
  enum step_of_topic : std::uint8_t {
    asleep,
    begin,
    look,
    survey_0,
    survey_1,
    publish,
    known_fence,
    find_waiting,
    rest,
    rest_fence,
    work_0,
    work_1,
    ring_out,
    take_idle
  };
  enum step_of_publisher : std::uint8_t { push, ring_fence, ring_look, ring_change, left };

  tso_memory<threads, 6> memory;
  std::uint8_t fence_in_stall = 1;
  std::uint8_t fence_in_tell_room = 1;
  std::uint8_t looks_twice = 1;  // a rest that finds work without room becomes a stall
  std::uint8_t capacity = 2;
  std::uint8_t resume_room = 128;
  std::int8_t events = 3;
  std::uint8_t at[threads] = {read, read, asleep, push};
  std::int8_t position[2] = {0, 0};
  std::uint8_t stalls = 0;
  std::int8_t appended = 0, tail = 0, limit = 0, pushed = 0;

  const char* step(std::size_t t) { return t < topic ? reader(t) : t == topic ? writer(t) : publishes(t); }

  const char* reader(std::size_t t) {
    auto go = [&](step_of_reader to, const char* name) { return at[t] = to, name; };
    switch (at[t]) {
      case read:
        if (memory.load(t, end) <= position[t]) return nullptr;
        return memory.store(t, t, ++position[t]), go(room_fence, "cursor::advance");
      case room_fence:
        if (fence_in_tell_room != 0 && !memory.is_drained(t)) return nullptr;
        return go(look_stalled, "reader::tell_room, fence");
      case look_stalled:
        return go(memory.load(t, bell) == stalled ? look_room : read, "doorbell::is_stalled");
      case look_room: {
        const int last = memory.load(t, end), room = position[t] + capacity - last;
        const bool enough = room >= std::min<int>(resume_room, std::max(capacity / 2, 1)) || position[t] == last;
        return go(enough ? reader_rings : read, "topic_core::made_room");
      }
      case reader_rings:
        if (!memory.is_drained(t)) return nullptr;
        if (memory.change(bell, idle, rung) || memory.change(bell, stalled, rung)) ++memory[wakes];
        return go(read, "doorbell::ring_out");
      default:
        return nullptr;
    }
  }

  const char* writer(std::size_t t) {
    auto go = [&](step_of_topic to, const char* name) { return at[t] = to, name; };
    const bool exchanges =
        at[t] == asleep || at[t] == begin || at[t] == ring_out || at[t] == known_fence || at[t] == take_idle;
    if (exchanges && !memory.is_drained(t)) return nullptr;
    switch (at[t]) {
      case asleep:
        if (memory[wakes] == 0) return nullptr;
        return --memory[wakes], go(begin, "activity::run");
      case begin:
        return go(memory.change(bell, rung, running) ? look : asleep, "doorbell::begin");
      case look:
        return tail = memory.load(t, lane), go(survey_0, "topic_core::look_at_lanes");
      case survey_0:
        return limit = limit_of(t, 0), go(survey_1, "topic_core::survey");
      case survey_1:
        limit = std::min(limit, limit_of(t, 1));
        return appended = std::max(appended, std::min(tail, limit)), go(publish, "topic_core::drain_to");
      case publish:
        return memory.store(t, end, appended), go(known_fence, "log::publish");
      case known_fence:
        return go(find_waiting, "topic_core::make_known, fence");
      case find_waiting:
        return stalls = memory.load(t, lane) != appended, go(rest, "topic_core::rest_or_continue");
      case rest:
        memory.store(t, bell, stalls != 0 ? stalled : idle);
        return go(rest_fence, stalls != 0 ? "doorbell::stall" : "doorbell::rest");
      case rest_fence:
        if (fence_in_stall != 0 && !memory.is_drained(t)) return nullptr;
        return go(work_0, "doorbell::stall, fence");
      case work_0:
        return limit = limit_of(t, 0), go(work_1, "topic_core::append_limit");
      case work_1: {
        limit = std::min(limit, limit_of(t, 1));
        const bool work = memory.load(t, lane) != appended;
        const bool again = looks_twice != 0 && work && stalls == 0;
        return go(work && limit > appended ? ring_out : again ? take_idle : asleep, "topic_core::look_for_work");
      }
      case ring_out:
        return go(memory.change(bell, idle, rung) || memory.change(bell, stalled, rung) ? begin : asleep,
                  "doorbell::ring_out");
      case take_idle:
        return go(memory.change(bell, idle, running) ? find_waiting : asleep, "doorbell::take_idle");
      default:
        return nullptr;
    }
  }
  std::int8_t limit_of(std::size_t t, std::size_t who) const {
    return static_cast<std::int8_t>(memory.load(t, who) + capacity);
  }

  const char* publishes(std::size_t t) {
    auto go = [&](step_of_publisher to, const char* name) { return at[t] = to, name; };
    const auto next = pushed < events ? push : left;
    switch (at[t]) {
      case push:
        return memory.store(t, lane, ++pushed), go(ring_fence, "lane::push");
      case ring_fence:
        if (!memory.is_drained(t)) return nullptr;
        return go(ring_look, "doorbell::ring, fence");
      case ring_look:
        return go(memory.load(t, bell) == idle ? ring_change : next, "doorbell::is_idle");
      case ring_change:
        if (memory.change(bell, idle, rung)) ++memory[wakes];
        return go(next, "doorbell::change");
      default:
        return nullptr;
    }
  }

  const char* wrong() const {
    const int slowest = std::min(position[0], position[1]);
    return appended > slowest + capacity ? "a subscriber lags more than its capacity" : nullptr;
  }
  const char* wrong_at_end() const {
    return position[0] == events && position[1] == events ? nullptr : "the topic stalls for ever";
  }
};

}  // namespace

TEST_CASE("a stalled topic resumes once its readers made room, and none lags more than its capacity", "[model]") {
  const finding found = explore(stall_and_room{});
  CHECK(found.told() == "");
  CHECK(found.states > 1'000);
}

TEST_CASE("a topic of capacity one resumes", "[model]") {
  CHECK(explore(stall_and_room{.memory = {}, .capacity = 1, .events = 2}).told() == "");
}

TEST_CASE("a topic that waits for more room than a single event resumes", "[model]") {
  stall_and_room one_reader{.memory = {}, .capacity = 4, .events = 6};
  one_reader.memory[stall_and_room::position_1] = one_reader.position[1] = one_reader.events;
  CHECK(explore(one_reader).told() == "");
}

TEST_CASE("without the fence in stall the model stalls for ever", "[model]") {
  CHECK(explore(stall_and_room{.memory = {}, .fence_in_stall = 0}).wrong == "the topic stalls for ever");
}

TEST_CASE("without the fence in tell_room the model stalls for ever", "[model]") {
  CHECK(explore(stall_and_room{.memory = {}, .fence_in_tell_room = 0}).wrong == "the topic stalls for ever");
}

TEST_CASE("without a stall for what was pushed just before a rest the model stalls for ever", "[model]") {
  CHECK(explore(stall_and_room{.memory = {}, .looks_twice = 0}).wrong == "the topic stalls for ever");
}
