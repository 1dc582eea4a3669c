// What one call costs its caller, in nanoseconds: publishing while the lane is never full and the consumer keeps up;
// and the prices of the machine to hold that against.
#include <benchmark/benchmark.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "payload.hpp"
#include "tests/memory/counting_new.hpp"

namespace actorbus::bench {

namespace {

/// A burst fits into a lane, so none of its calls waits; what handles it is not part of the time.
constexpr std::size_t burst = 512;

template <class Publish>
void measure(benchmark::State& state, actorbus::bus& bus, Publish publish) {
  std::size_t calls = 0, allocations = 0;
  double seconds = 0;
  for (auto _ : state) {
    const std::size_t before = testing::own_allocations;
    const auto began = clock::now();
    for (std::size_t i = 0; i < burst; ++i) publish(i);
    seconds += std::chrono::duration<double>(clock::now() - began).count();
    allocations += testing::own_allocations - before;
    calls += burst;
    if (!bus.flush(std::chrono::seconds(10))) state.SkipWithError("not everything was handled");
  }
  state.counters["ns"] = seconds * 1e9 / static_cast<double>(calls);
  state.counters["allocations"] = static_cast<double>(allocations) / static_cast<double>(calls);
}

/// Something to do between two calls, which gives the consumer the time to keep up.
void work() {
  std::uint64_t x = 1;
  for (int i = 0; i < 40; ++i) {
    x = x * 6364136223846793005u + 1;
    benchmark::DoNotOptimize(x);
  }
}

template <class Call>
double seconds_of(std::size_t calls, Call&& call) {
  const auto began = clock::now();
  for (std::size_t i = 0; i < calls; ++i) {
    call(i);
    work();
  }
  return std::chrono::duration<double>(clock::now() - began).count();
}

/// In a stream of events: what the calls add to a loop that does something else besides. Between two stretches, outside
/// the time, it waits until no more than one stretch is still to be handled, so that the lane is never full.
template <class Connect>
void measure_in_stream(benchmark::State& state, Connect connect) {
  constexpr std::size_t stretch = 256, stretches = 400;
  actorbus::bus bus;
  auto topic = bus.topic<small>("t");
  std::atomic<std::size_t> handled{0};
  const auto s = topic.subscribe(
      [&](const small&) { handled.store(handled.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); });
  auto publish = connect(topic);
  double with = 0, without = 0;
  std::size_t calls = 0;
  for (auto _ : state) {
    for (std::size_t n = 0; n < stretches; ++n) {
      while (handled.load(std::memory_order_relaxed) + stretch < calls) std::this_thread::yield();
      with += seconds_of(stretch, publish);
      without += seconds_of(stretch, [](std::size_t) {});
      calls += stretch;
    }
    if (!bus.flush(std::chrono::seconds(10))) state.SkipWithError("not everything was handled");
  }
  state.counters["ns"] = (with - without) * 1e9 / static_cast<double>(calls);
  if (handled != calls) state.SkipWithError("events were lost or doubled");
}

void publisher_in_stream(benchmark::State& state) {
  measure_in_stream(state, [](topic<small>& on) {
    return [out = on.publisher()](std::size_t i) mutable { out.publish(make<small>(i)); };
  });
}

void topic_in_stream(benchmark::State& state) {
  measure_in_stream(state, [](topic<small>& on) { return [&on](std::size_t i) { on.publish(make<small>(i)); }; });
}

void publisher(benchmark::State& state) {
  actorbus::bus bus;
  auto topic = bus.topic<small>("t");
  const auto s = topic.subscribe([](const small& v) { benchmark::DoNotOptimize(v.number); });
  auto out = topic.publisher();
  measure(state, bus, [&](std::size_t i) { out.publish(make<small>(i)); });
}

void publisher_with_headers(benchmark::State& state) {
  actorbus::bus bus;
  auto topic = bus.topic<small>("t");
  const auto s = topic.subscribe([](const small& v) { benchmark::DoNotOptimize(v.number); });
  auto out = topic.publisher();
  measure(state, bus, [&](std::size_t i) { out.publish(make<small>(i), {{"source", "bench"}}); });
}

void by_topic(benchmark::State& state) {
  actorbus::bus bus;
  auto topic = bus.topic<small>("t");
  const auto s = topic.subscribe([](const small& v) { benchmark::DoNotOptimize(v.number); });
  measure(state, bus, [&](std::size_t i) { topic.publish(make<small>(i)); });
}

void publish_all(benchmark::State& state) {
  actorbus::bus bus;
  auto topic = bus.topic<small>("t");
  const auto s = topic.subscribe([](const small& v) { benchmark::DoNotOptimize(v.number); });
  auto out = topic.publisher();
  const std::vector<small> batch(64, make<small>(1));
  measure(state, bus, [&](std::size_t i) {
    if (i % batch.size() == 0) out.publish_all(batch);
  });
}

void limit_function(benchmark::State& state) {
  std::uint64_t sum = 0;
  std::function<void(const small&)> f = [&](const small& v) { sum += v.number; };
  benchmark::DoNotOptimize(f);
  std::uint64_t i = 0;
  for (auto _ : state) f(make<small>(++i));
  benchmark::DoNotOptimize(sum);
}

/// There and back between two threads that never sleep.
void limit_round_trip(benchmark::State& state) {
  alignas(64) std::atomic<std::uint64_t> there{0};
  alignas(64) std::atomic<std::uint64_t> back{0};
  std::thread other([&] {
    for (std::uint64_t i = 1;; ++i) {
      std::uint64_t seen;
      while ((seen = there.load(std::memory_order_acquire)) < i) {
      }
      if (seen == ~std::uint64_t{0}) return;
      back.store(i, std::memory_order_release);
    }
  });
  std::uint64_t i = 0;
  for (auto _ : state) {
    there.store(++i, std::memory_order_release);
    while (back.load(std::memory_order_acquire) != i) {
    }
  }
  there.store(~std::uint64_t{0}, std::memory_order_release);
  other.join();
}

/// There and back between two threads that sleep until they are woken: two wake-ups.
void limit_futex_round_trip(benchmark::State& state) {
  std::atomic<std::uint32_t> there{0};
  std::atomic<std::uint32_t> back{0};
  std::atomic<bool> ended{false};
  std::thread other([&] {
    for (std::uint32_t i = 0;; ++i) {
      there.wait(i, std::memory_order_acquire);
      if (ended) return;
      back.store(i + 1, std::memory_order_release);
      back.notify_one();
    }
  });
  std::uint32_t i = 0;
  for (auto _ : state) {
    there.store(i + 1, std::memory_order_release);
    there.notify_one();
    back.wait(i, std::memory_order_acquire);
    ++i;
  }
  ended = true;
  there.store(i + 1);
  there.notify_one();
  other.join();
}

BENCHMARK(publisher_in_stream)->Name("calls/publisher_in_stream")->Iterations(40);
BENCHMARK(topic_in_stream)->Name("calls/topic_in_stream")->Iterations(40);
BENCHMARK(publisher)->Name("calls/publisher")->Iterations(2000);
BENCHMARK(by_topic)->Name("calls/topic")->Iterations(2000);
BENCHMARK(publisher_with_headers)->Name("calls/publisher_with_headers")->Iterations(2000);
BENCHMARK(publish_all)->Name("calls/publish_all_of_64_an_event")->Iterations(2000);
BENCHMARK(limit_function)->Name("calls/limit_function");
BENCHMARK(limit_round_trip)->Name("calls/limit_atomic_round_trip")->UseRealTime();
BENCHMARK(limit_futex_round_trip)->Name("calls/limit_wait_round_trip")->UseRealTime();

}  // namespace

}  // namespace actorbus::bench

BENCHMARK_MAIN();
