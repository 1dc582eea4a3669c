// The cases about streams: everything arrives, everywhere, in order. Those about beginnings and ends:
// subscribing_cases.cpp. Those about faults: reconnect_case.cpp.
#include "tests/contract/delivery_cases.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <utility>

#include "tests/contract/scene.hpp"
#include "tests/stress.hpp"

namespace actorbus::contract {

namespace {

const std::string topic = "conformance.stream";

std::string play_subscribe_then_publish(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  receiver& all = s.receive("all", topic);
  s.publish(1, topic, size.events);
  s.expect(all, size.events);
  return s.end();
}

std::string play_concurrent_subscribe_and_publish(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  // With history each subscriber gets all of it. Without, one that comes while the first half is published gets an end
  // of that, and the second half whole.
  const std::size_t in_all =
      kind.can.history ? std::min(size.publishers * size.each, history_kept) : size.publishers * size.each;
  const std::size_t half = std::max<std::size_t>(1, in_all / size.publishers / 2);
  const wishes how{.from = kind.can.history ? replay::all() : replay::live()};
  std::deque<gauge> second_halves(size.subscribers);
  together(s, size.publishers + size.subscribers, [&](std::size_t i) {
    if (i < size.publishers) return s.publish(static_cast<std::uint32_t>(i), topic, half);
    gauge& mine = second_halves[i - size.publishers];
    s.receive("subscriber " + std::to_string(i), topic, how, [&mine, half](const event<parcel>& e) {
      if (e->counter > half) mine.add();
    });
  });
  together(s, size.publishers, [&](std::size_t i) { s.publish(static_cast<std::uint32_t>(i), topic, half); });
  for (gauge& each : second_halves) s.expect(each, size.publishers * half, "one of many");
  expectations promised;
  if (!kind.can.history) promised.after.reset();
  return s.end(promised);
}

std::string play_topics_in_parallel(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  std::vector<receiver*> of_topic(size.topics);
  auto name = [](std::size_t i) { return "conformance.lane." + std::to_string(i); };
  for (std::size_t i = 0; i < size.topics; ++i) of_topic[i] = &s.receive("reader of " + name(i), name(i));
  together(s, size.topics, [&](std::size_t i) { s.publish(static_cast<std::uint32_t>(i), name(i), size.replayed); });
  for (receiver* each : of_topic) s.expect(*each, size.replayed);
  return s.end();
}

std::string play_retry_until_handled(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  // Every second event fails three times, so that its neighbours are retried from the same batch.
  std::uint64_t failures = 0;
  receiver& all = s.receive("stubborn", topic, {.on_error = on_error::retry(3, std::chrono::microseconds{20}, 1.0)},
                            [failures](const event<parcel>& e) mutable {
                              if (e->counter % 2 == 0 && ++failures % 4 != 0) throw std::runtime_error("not yet");
                            });
  const std::size_t count = std::min<std::size_t>(size.replayed, 300);
  s.publish(1, topic, count);
  s.expect(all, count);
  return s.end();
}

std::string play_one_total_order(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  using seen = std::vector<std::pair<std::uint32_t, std::uint64_t>>;
  std::deque<seen> orders(10);
  std::vector<receiver*> subscribers;
  for (seen& mine : orders) {
    subscribers.push_back(&s.receive("observer", topic, {},
                                     [&mine](const event<parcel>& e) { mine.emplace_back(e->publisher, e->counter); }));
  }
  together(s, 4, [&](std::size_t i) { s.publish(static_cast<std::uint32_t>(i), topic, size.replayed); });
  for (receiver* each : subscribers) s.expect(*each, 4 * size.replayed);
  std::string wrong = s.end();
  for (const seen& other : orders) {
    if (other != orders.front()) wrong += "two subscribers saw different orders\n";
  }
  return wrong;
}

std::string play_closed_in_flight(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  std::promise<void> open;
  receiver& held =
      s.receive("held", topic, {}, [gate = open.get_future().share()](const event<parcel>&) { gate.wait(); });
  constexpr std::size_t publishers = 20;
  const std::size_t each = std::min<std::size_t>(size.each * 10, 500);  // what a lane holds, and more
  together(s, publishers, [&](std::size_t i) {
    s.publish(static_cast<std::uint32_t>(i), topic, each);
    s.leave(static_cast<std::uint32_t>(i));
  });
  if (held.arrived().count() != 0) s.complain("the gate was shut and something passed");
  open.set_value();
  s.close_publishing();
  s.expect(held, publishers * each);
  return s.end();
}

std::string play_slow_beside_fast(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  receiver& slow = s.receive("slow", topic, {.capacity = 64}, [](const event<parcel>& e) {
    volatile std::uint64_t work = e->value;
    for (int i = 0; i < 2000; ++i) work = work * 3 + 1;
  });
  receiver& fast = s.receive("fast", topic);
  s.publish(1, topic, size.replayed);
  s.expect(fast, size.replayed);
  s.expect(slow, size.replayed);
  return s.end();
}

std::string play_still_beside_fast(const delivery_kind& kind, const run_size&) {
  scene s(kind);
  std::promise<void> open;
  receiver& still = s.receive("still", topic, {.capacity = 256},
                              [gate = open.get_future().share()](const event<parcel>&) { gate.wait(); });
  receiver& fast = s.receive("fast", topic);
  s.publish(1, topic, 200);
  s.expect(fast, 200);
  if (still.arrived().count() != 0) s.complain("the gate was shut and something passed");
  open.set_value();
  s.publish(1, topic, 1000);
  s.expect(fast, 1200);
  s.expect(still, 1200);
  return s.end();
}

}  // namespace

run_size run_size::full() {
  using testing::scaled;
  return {scaled(100'000), std::min(scaled(2'000), history_kept),    50, 50, std::min<std::size_t>(scaled(80), 80), 20,
          scaled(20),      std::max<std::size_t>(scaled(10'000), 60)};
}

run_size run_size::small() {
  using testing::scaled;
  return {scaled(2'000), std::min(scaled(200), history_kept),   8, 8, std::min<std::size_t>(scaled(20), 80), 5,
          scaled(3),     std::max<std::size_t>(scaled(500), 60)};
}

const delivery_case subscribe_then_publish{"everything published after subscribing arrives, values and headers equal",
                                           {&features::blocking},
                                           play_subscribe_then_publish};
const delivery_case concurrent_subscribe_and_publish{
    "many publish while many subscribe: the same events for all, each publisher's in order",
    {&features::blocking, &features::total_order},
    play_concurrent_subscribe_and_publish};
const delivery_case topics_in_parallel{
    "topics in parallel do not cross over", {&features::blocking}, play_topics_in_parallel};
const delivery_case retry_until_handled{"an event whose handler throws is retried until it is handled, in its order",
                                        {&features::retry},
                                        play_retry_until_handled};
const delivery_case one_total_order{
    "all subscribers see one total order", {&features::total_order, &features::blocking}, play_one_total_order};
const delivery_case closed_in_flight{
    "publishers that close with events in flight lose none", {&features::drains}, play_closed_in_flight};
const delivery_case slow_beside_fast{
    "a slow subscriber beside a fast one: both get everything", {&features::blocking}, play_slow_beside_fast};
const delivery_case still_beside_fast{"one that stands still does not hold up another",
                                      {&features::isolation, &features::blocking},
                                      play_still_beside_fast};

const std::vector<const delivery_case*>& every_case() {
  static const std::vector<const delivery_case*> all{
      &publish_then_subscribe,
      &subscribe_then_publish,
      &concurrent_subscribe_and_publish,
      &topics_in_parallel,
      &retry_until_handled,
      &nothing_after_cancel,
      &concurrent_subscribe_and_cancel,
      &concurrent_subscribe_and_close,
      &one_total_order,
      &closed_in_flight,
      &history_for_the_new,
      &slow_beside_fast,
      &still_beside_fast,
      &shared_in_a_group,
      &group_hands_on,
      &cut_off_in_between,
  };
  return all;
}

std::string missing_for(const delivery_case& what, const delivery_kind& kind) {
  std::string missing;
  for (const auto& [name, value] : every_feature()) {
    const bool needed = std::find(what.needs.begin(), what.needs.end(), value) != what.needs.end();
    if (needed && !(kind.can.*value)) missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  return missing;
}

}  // namespace actorbus::contract
