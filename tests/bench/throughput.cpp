// Events a second: how many deliveries publishers and receivers get done when nobody waits for anything but the other
// side. Items are deliveries.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ours.hpp"
#include "peers.hpp"
#ifdef ACTORBUS_BENCH_MOODYCAMEL
#include "moodycamel.hpp"
#endif
#ifdef ACTORBUS_BENCH_ZEROMQ
#include "zeromq.hpp"
#endif

namespace actorbus::bench {

namespace {

/// 64 KiB a time are bound by the memory: fewer will do.
template <class T>
constexpr std::size_t share = sizeof(T) > 4096 ? 100 : 1;

/// Publishes `count` events, round robin over the topics, their numbers 1 to count.
template <class T, class Port>
void publish(Port& to, const wiring& w, std::size_t count) {
  for (std::size_t i = 0, topic = 0; i < count; ++i) {
    to.send(topic, make<T>(i + 1));
    if (++topic == w.topics) topic = 0;
  }
}

/// A round is over when every receiver has everything; then count and sum are checked.
template <class T, class Subject, class... Settings>
void run(benchmark::State& state, wiring w, Settings... settings) {
  receivers<receiver> to(w.topics * w.subscribers);
  Subject subject(w, to, settings...);
  const std::size_t each =
      std::max<std::size_t>(Subject::events / share<T> / w.publishers / w.subscribers, 1000) / w.topics * w.topics;
  const std::uint64_t expected = each * w.publishers / w.topics;
  std::barrier start(static_cast<std::ptrdiff_t>(w.publishers));
  bool more = true;
  std::vector<std::thread> others;
  for (std::size_t p = 1; p < w.publishers; ++p) {
    others.emplace_back([&, p] {
      auto out = subject.port(p);
      while (start.arrive_and_wait(), more) publish<T>(out, w, each);
    });
  }
  auto out = subject.port(0);
  const auto round = [&] {
    to.expect(expected);
    start.arrive_and_wait();
    const auto began = clock::now();
    publish<T>(out, w, each);
    to.end.wait();
    return std::chrono::duration<double>(clock::now() - began).count();
  };
  round();  // the first pays for memory that is used for the first time
  std::uint64_t rounds = 0;
  for (auto _ : state) {
    state.SetIterationTime(round());
    ++rounds;
    std::uint64_t sum = 0;
    for (const auto& one : to.each) {
      sum += one.sum();
      if (one.count() != expected) state.SkipWithError("events were lost or doubled");
    }
    if (sum != each * (each + 1) / 2 * w.publishers * w.subscribers) state.SkipWithError("other events arrived");
  }
  more = false;
  start.arrive_and_wait();
  for (auto& one : others) one.join();
  state.SetItemsProcessed(static_cast<std::int64_t>(rounds * each * w.publishers * w.subscribers));
}

/// One publisher and one handler that may lose events: a round is over when the last event has arrived, which no
/// policy drops. Items are events published; `delivered` is the share of them that was handled.
void run_overflow(benchmark::State& state, overflow policy) {
  constexpr std::size_t events = 1'000'000;
  // What disconnects would end the run: it gets the room never to.
  const std::size_t capacity = policy == overflow::disconnect ? 2 * events : 0;
  actorbus::bus bus;
  auto topic = bus.topic<small>("bench");
  std::uint64_t delivered = 0;
  std::atomic<std::uint64_t> newest{0};
  const auto heard = topic.subscribe(
      [&](const small& value) {
        ++delivered;
        newest.store(value.number, std::memory_order_release);
        if (value.number % events == 0) newest.notify_one();
      },
      {.overflow = policy, .capacity = capacity});
  auto out = topic.publisher();
  std::uint64_t published = 0;
  for (auto _ : state) {
    const auto began = clock::now();
    for (std::size_t i = 0; i < events; ++i) out.publish(make<small>(++published));
    for (auto seen = newest.load(); seen != published; seen = newest.load()) newest.wait(seen);
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
  }
  if (!bus.flush(std::chrono::seconds(10))) state.SkipWithError("not everything was handled");
  const auto account = bus.snapshot().subscriptions.at(0);
  if (account.offered != published || account.delivered != delivered || delivered + account.dropped != published) {
    state.SkipWithError("the account does not add up");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(published));
  state.counters["delivered"] = static_cast<double>(delivered) / static_cast<double>(published);
}

template <class T, class Subject, class... Settings>
void add(const std::string& name, wiring w, Settings... settings) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run<T, Subject>(state, w, settings...); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

/// Every subject that can do it, on one wiring.
template <class T>
void add_all(const std::string& scenario, wiring w) {
  const auto named = [&](const char* subject) { return scenario + "/" + subject; };
  add<T, ours<T>>(named("actorbus"), w, usage{});
  add<T, caf_actors<T>>(named("caf_sharing"), w, caf_policy::sharing);
  add<T, caf_actors<T>>(named("caf_stealing"), w, caf_policy::stealing);
  if (w.topics <= 8) add<T, caf_groups<T>>(named("caf_groups"), w, caf_policy::sharing);
  add<T, signals2<T>>(named("signals2"), w);
  if (w.topics * w.subscribers <= 8) {  // a thread for each receiver
    add<T, mutex_queue<T>>(named("mutex_queue"), w);
#ifdef ACTORBUS_BENCH_MOODYCAMEL
    add<T, moodycamel_queue<T, camel::one_at_a_time>>(named("moodycamel"), w);
    add<T, moodycamel_queue<T, camel::in_bulk>>(named("moodycamel_bulk"), w);
    add<T, moodycamel_queue<T, camel::blocking>>(named("moodycamel_blocking"), w);
#endif
#ifdef ACTORBUS_BENCH_ZEROMQ
    add<T, zeromq<T>>(named("zeromq"), w);
#endif
  }
  if (w.publishers == 1 && w.topics == 1) {
    add<T, spsc<T, false>>(named("limit_spsc"), w);
    add<T, spsc<T, true>>(named("limit_spsc_all"), w);
  }
}

void add_ours(const std::string& name, usage how, wiring w = {}) { add<small, ours<small>>(name, w, how); }

void register_all() {
  add_all<small>("1to1", {1, 1, 1});
  add_all<small>("1to8", {1, 1, 8});
  add_all<small>("4to1", {4, 1, 1});
  add_all<small>("4to8", {4, 1, 8});
  add_all<small>("1000topics", {1, 1000, 1});
  add_all<text>("1to1_text", {1, 1, 1});
  add_all<text>("1to8_text", {1, 1, 8});
  add_all<block>("1to1_block", {1, 1, 1});
  add_all<block>("1to8_block", {1, 1, 8});

  add_ours("ways/handler_pool", {});
  add_ours("ways/handler_topic", {.run_on = run_on::topic});
  add_ours("ways/handler_own_thread", {.run_on = run_on::own_thread});
  add_ours("ways/inbox", {.inbox = true});
  add_ours("ways/by_topic", {.by_topic = true});
  add_ours("ways/history", {.history = 1000});
  add_ours("ways/headers", {.headers = true});
  add_ours("ways/filter", {.filter = true});
  add_ours("ways/pattern", {.pattern = true});
  for (const auto& [name, policy] :
       {std::pair{"block", overflow::block}, std::pair{"drop_oldest", overflow::drop_oldest},
        std::pair{"latest", overflow::latest}, std::pair{"disconnect", overflow::disconnect}}) {
    benchmark::RegisterBenchmark((std::string("overflow/") + name).c_str(),
                                 [p = policy](benchmark::State& state) { run_overflow(state, p); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const std::size_t subscribers : {1u, 8u, 100u, 1000u, 10'000u}) {
    add_ours("subscribers/" + std::to_string(subscribers), {}, {1, 1, subscribers});
  }
  for (const std::size_t topics : {1u, 10u, 100u, 1000u, 10'000u, 100'000u}) {
    add_ours("idle_topics/" + std::to_string(topics), {.idle_topics = topics});
    add_ours("round_robin/" + std::to_string(topics), {}, {1, topics, 1});
  }
  for (const std::size_t patterns : {1u, 10u, 100u, 1000u, 10'000u}) {
    add_ours("idle_patterns/" + std::to_string(patterns), {.idle_patterns = patterns});
  }
}

}  // namespace

}  // namespace actorbus::bench

int main(int argc, char** argv) {
  actorbus::bench::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
