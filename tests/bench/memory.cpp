// What the bus holds and allocates: bytes of an idle topic, of a subscription and of an event that waits; allocations
// of an event while busy and of a wake-up. Counters, not times.
#include <benchmark/benchmark.h>

#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "payload.hpp"
#include "tests/memory/counting_new.hpp"

namespace actorbus::bench {

namespace {

using namespace std::chrono_literals;

void report(benchmark::State& state, const char* what, std::size_t before, std::size_t count) {
  state.counters[what] =
      (static_cast<double>(testing::bytes_held.load()) - static_cast<double>(before)) / static_cast<double>(count);
}

/// Published to once, read, and left alone until what it does not need was given back.
void idle_topics(benchmark::State& state) {
  const std::size_t count = 10'000;
  for (auto _ : state) {
    actorbus::bus bus({.reclaim_after = 50ms});
    std::vector<topic<small>> topics;
    topics.reserve(count);
    const std::size_t before = testing::bytes_held.load();
    for (std::size_t i = 0; i < count; ++i) {
      topics.push_back(bus.topic<small>("memory." + std::to_string(i)));
      topics.back().publish(make<small>(i));
    }
    bus.flush(10s);
    std::size_t held = testing::bytes_held.load();
    for (int unchanged = 0; unchanged < 5;) {  // until reclaiming is over
      std::this_thread::sleep_for(100ms);
      unchanged = held == testing::bytes_held.load() ? unchanged + 1 : 0;
      held = testing::bytes_held.load();
    }
    report(state, "bytes", before, count);
  }
}

void subscriptions(benchmark::State& state) {
  const std::size_t count = 10'000;
  for (auto _ : state) {
    actorbus::bus bus;
    auto topic = bus.topic<small>("memory");
    std::vector<subscription> subscribed;
    subscribed.reserve(count);
    const std::size_t before = testing::bytes_held.load();
    for (std::size_t i = 0; i < count; ++i) subscribed.push_back(topic.subscribe([](const small&) {}));
    bus.flush(10s);
    report(state, "bytes_before_the_first_event", before, count);
    topic.publish(make<small>(1));
    bus.flush(10s);
    report(state, "bytes", before, count);
  }
}

void backlog(benchmark::State& state) {
  const std::size_t count = 100'000;
  for (auto _ : state) {
    actorbus::bus bus;
    auto topic = bus.topic<small>("memory", {.capacity = count});
    auto s = topic.subscribe([](const small&) {});
    s.pause();
    auto out = topic.publisher();
    const std::size_t before = testing::bytes_held.load();
    for (std::size_t i = 0; i < count; ++i) out.publish(make<small>(i));
    report(state, "bytes", before, count);
  }
}

void busy(benchmark::State& state) {
  actorbus::bus bus;
  auto topic = bus.topic<small>("memory");
  auto s = topic.subscribe([](const small& v) { benchmark::DoNotOptimize(v.number); });
  auto out = topic.publisher();
  for (int i = 0; i < 100'000; ++i) out.publish(make<small>(1));
  bus.flush(10s);
  const std::size_t count = 2'000'000;
  for (auto _ : state) {
    const std::size_t before = testing::allocations.load();
    for (std::size_t i = 0; i < count; ++i) out.publish(make<small>(i));
    bus.flush(10s);
    state.counters["allocations"] =
        static_cast<double>(testing::allocations.load() - before) / static_cast<double>(count);
  }
}

void wake_ups(benchmark::State& state) {
  actorbus::bus bus;
  auto topic = bus.topic<small>("memory");
  std::atomic<std::size_t> seen{0};
  auto s = topic.subscribe([&](const small&) {
    ++seen;
    seen.notify_one();
  });
  auto out = topic.publisher();
  const std::size_t count = 2'000;
  for (auto _ : state) {
    const std::size_t before = testing::allocations.load();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t now = seen;
      out.publish(make<small>(i));
      seen.wait(now);
      std::this_thread::sleep_for(100us);  // until everybody sleeps
    }
    state.counters["allocations"] =
        static_cast<double>(testing::allocations.load() - before) / static_cast<double>(count);
  }
}

BENCHMARK(idle_topics)->Name("memory/idle_topic")->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(subscriptions)->Name("memory/subscription")->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(backlog)->Name("memory/backlogged_event")->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(busy)->Name("allocations/event")->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(wake_ups)->Name("allocations/wake_up")->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace actorbus::bench

BENCHMARK_MAIN();
