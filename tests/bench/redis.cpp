// Messages a second through a real redis-server, 100 bytes each, over TCP on this machine and over a unix socket; and
// how long one takes at 10,000 a second. Every round checks that all arrived, and once.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "redis_ours.hpp"
#include "redis_peers.hpp"
#include "redis_streams.hpp"
#include "samples.hpp"
#ifdef ACTORBUS_BENCH_NATS
#include "nats.hpp"
#endif

namespace actorbus::bench {

namespace {

/// From a publisher to a receiver, both awake all the time.
template <class Subject>
void end_to_end(benchmark::State& state, link over, std::size_t events) {
  receivers<receiver> to(1);
  Subject subject(over, to.each.front());
  std::string message;
  for (auto _ : state) {
    to.expect(events);
    const auto began = clock::now();
    for (std::uint64_t i = 1; i <= events; ++i) {
      write_message(message, i);
      subject.send(message);
    }
    subject.flush();
    to.end.wait();
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, to.each.front(), events);
    subject.clear();
  }
  count_items(state, events);
}

/// What the publisher does until the next moment. Busy, it has a processor for itself, and all else the other one.
enum class meanwhile { busy, asleep };

/// One at a time, at 10,000 a second.
template <class Subject>
void one_way(benchmark::State& state, link over, std::size_t events, meanwhile what = meanwhile::busy) {
  const std::size_t warm_up = std::min<std::size_t>(events / 10, 1000);
  receivers<stopwatch> to(1);
  to.expect(events + warm_up);
  Subject subject(over, to.each.front());
  std::string message;
  for (auto _ : state) {
    auto next = clock::now();
    for (std::uint64_t i = 1; i <= events + warm_up; ++i) {
      next += std::chrono::microseconds(100);
      if (what == meanwhile::asleep) std::this_thread::sleep_until(next);
      while (clock::now() < next) {
      }
      write_message(message, i, now_ns());
      subject.send(message);
      subject.flush();
    }
    to.end.wait();
  }
  auto samples = to.each.front().samples();
  samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(warm_up));
  report(state, std::move(samples));
}

/// What this thread has had of a processor.
std::int64_t processor_time() {
  ::timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

/// What publishing costs the publisher, whatever becomes of it: events a second, and of its processor's time an event,
/// which does not count what others that want the same processor take of it.
void publishing(benchmark::State& state, beside what, std::size_t events) {
  published_topic topic(what);
  std::string message;
  std::int64_t taken = 0;
  for (auto _ : state) {
    const auto began = clock::now();
    const auto had = processor_time();
    for (std::uint64_t i = 1; i <= events; ++i) {
      write_message(message, i);
      topic.send(message);
    }
    taken += processor_time() - had;
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
  }
  count_items(state, events);
  state.counters["processor_ns"] = static_cast<double>(taken) / static_cast<double>(state.items_processed());
}

/// How long a call takes, at 50,000 a second.
void publish_calls(benchmark::State& state, beside what, std::size_t events) {
  published_topic topic(what);
  std::string message;
  std::vector<std::int64_t> samples;
  samples.reserve(events);
  for (auto _ : state) {
    auto next = clock::now();
    for (std::uint64_t i = 1; i <= events; ++i) {
      next += std::chrono::microseconds(20);
      while (clock::now() < next) {
      }
      const auto began = now_ns();
      write_message(message, i, began);
      topic.send(message);
      samples.push_back(now_ns() - began);
    }
  }
  report(state, std::move(samples));
}

template <class Function>
void add(const std::string& name, Function run) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(run))->UseManualTime()->Unit(benchmark::kMillisecond);
}

template <class Function>
void add_latency(const std::string& name, Function run) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(run))->Iterations(1)->Unit(benchmark::kMillisecond);
}

void register_all(double share) {
  const auto some = [share](std::size_t events) {
    return std::max<std::size_t>(static_cast<std::size_t>(static_cast<double>(events) * share), 2000);
  };
  const std::size_t many = some(300'000), million = some(1'000'000), timed = some(20'000);
  for (const auto& [over, way] : {std::pair{link::tcp, "/tcp"}, std::pair{link::unix_socket, "/unix"}}) {
    const auto named = [w = std::string(way)](const char* family, const char* who = "/hiredis") {
      return family + w + who;
    };
    constexpr const char* us = "/actorbus";
    constexpr const char* packed = "/actorbus_packed";
    using state = benchmark::State;
    const link by = over;
    add(named("out"), [=](state& s) { xadd(s, by, many, 1); });
    add(named("out", us), [=](state& s) { bridged_out(s, by, many, false); });
    add(named("out", "/actorbus_deduplicated"), [=](state& s) { bridged_out(s, by, many, true); });
    add(named("out_64_an_entry"), [=](state& s) { xadd(s, by, million, 64); });
    add(named("out_by_script"), [=](state& s) { evalsha(s, by, many); });
    add(named("replay"), [=](state& s) { xread(s, by, million); });
    add(named("replay", us), [=](state& s) { bridged_replay(s, by, million); });
    add(named("group"), [=](state& s) { group(s, by, many, "1000"); });
    add(named("group", "/hiredis_64_at_once"), [=](state& s) { group(s, by, many, "64"); });
    add(named("group", us), [=](state& s) { bridged_group(s, by, many, 4096); });
    add(named("group", "/actorbus_64_in_flight"), [=](state& s) { bridged_group(s, by, many, 64); });
    add(named("pubsub"), [=](state& s) { end_to_end<bare_pubsub<receiver>>(s, by, many); });
    add(named("pubsub", us), [=](state& s) { end_to_end<bridged_pubsub<receiver>>(s, by, many); });
    add(named("pubsub", packed), [=](state& s) { end_to_end<packed_pubsub<receiver>>(s, by, million); });
    add(named("stream"), [=](state& s) { end_to_end<bare_stream<receiver>>(s, by, many); });
    add(named("stream", us), [=](state& s) { end_to_end<bridged_stream<receiver>>(s, by, many); });
    add(named("stream", packed), [=](state& s) { end_to_end<packed_stream<receiver>>(s, by, million); });
    add(named("stream_64_an_entry"), [=](state& s) { end_to_end<bare_stream<receiver, 64>>(s, by, million); });
    add_latency(named("one_way_pubsub"), [=](state& s) { one_way<bare_pubsub<stopwatch>>(s, by, timed); });
    add_latency(named("one_way_pubsub", us), [=](state& s) { one_way<bridged_pubsub<stopwatch>>(s, by, timed); });
    add_latency(named("one_way_stream"), [=](state& s) { one_way<bare_stream<stopwatch>>(s, by, timed); });
    add_latency(named("one_way_stream", us), [=](state& s) { one_way<bridged_stream<stopwatch>>(s, by, timed); });
    constexpr auto asleep = meanwhile::asleep;
    add_latency(named("sleeping_pubsub"), [=](state& s) { one_way<bare_pubsub<stopwatch>>(s, by, timed, asleep); });
    add_latency(named("sleeping_pubsub", us),
                [=](state& s) { one_way<bridged_pubsub<stopwatch>>(s, by, timed, asleep); });
    add_latency(named("sleeping_stream"), [=](state& s) { one_way<bare_stream<stopwatch>>(s, by, timed, asleep); });
    add_latency(named("sleeping_stream", us),
                [=](state& s) { one_way<bridged_stream<stopwatch>>(s, by, timed, asleep); });
  }
#ifdef ACTORBUS_BENCH_NATS
  if (nats<receiver>::is_available()) {
    add("pubsub/tcp/nats", [=](benchmark::State& s) { end_to_end<nats<receiver>>(s, link::tcp, many); });
    add_latency("one_way_pubsub/tcp/nats", [=](benchmark::State& s) { one_way<nats<stopwatch>>(s, link::tcp, timed); });
  }
#endif
  for (const auto& [name, what] :
       {std::pair{"unbridged", beside::a_subscriber}, std::pair{"inbox", beside::an_inbox},
        std::pair{"unread", beside::nothing}, std::pair{"bridge_up", beside::bridge_up},
        std::pair{"bridge_up_unix", beside::bridge_up_unix}, std::pair{"stream_up", beside::stream_up},
        std::pair{"bridge_down", beside::bridge_down}}) {
    const beside by = what;
    add("publish/" + std::string(name), [=](benchmark::State& s) { publishing(s, by, million); });
    add_latency("publish_call/" + std::string(name), [=](benchmark::State& s) { publish_calls(s, by, timed * 5); });
  }
}

}  // namespace

}  // namespace actorbus::bench

/// ACTORBUS_BENCH_SHARE: of the messages of a round, 1 as a rule; CI takes fewer.
int main(int argc, char** argv) {
  const char* share = std::getenv("ACTORBUS_BENCH_SHARE");
  actorbus::bench::register_all(share == nullptr ? 1.0 : std::atof(share));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
