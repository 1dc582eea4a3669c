// Messages a second through a real redis-server, 100 bytes each, over TCP on this machine and over a unix socket; and
// how long one takes at 10,000 a second. Every round checks that all arrived, and once.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "redis_ours.hpp"
#include "redis_peers.hpp"
#include "samples.hpp"
#ifdef ACTORBUS_BENCH_NATS
#include "nats.hpp"
#endif

namespace actorbus::bench {

namespace {

/// What a round publishes, as throughput.cpp does: 1 to `count`.
constexpr std::uint64_t sum_of(std::uint64_t count) { return count * (count + 1) / 2; }

void check(benchmark::State& state, const receiver& got, std::uint64_t expected) {
  if (got.count() != expected) state.SkipWithError("messages were lost or doubled");
  if (got.sum() != sum_of(expected)) state.SkipWithError("other messages arrived");
}

void count_items(benchmark::State& state, std::uint64_t each) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(each));
}

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

/// What a stream holds, counted and added up.
receiver read_all(link over, finish_line& end, std::size_t expected) {
  receiver result(end);
  result.expect(expected);
  end.set(1);
  connection in(over);
  std::string last = "0";
  for (;;) {
    const reply_ptr reply = in.run({"XREAD", "COUNT", "1000", "STREAMS", "bench", last});
    if (reply->type == REDIS_REPLY_NIL) return result;
    last = for_each_message(*reply, [&](const small& each) { result.take(each); });
  }
}

/// Out to a stream that nobody reads. `command` are the words before the message.
void out(benchmark::State& state, link over, std::size_t events, std::size_t per_entry,
         const std::vector<std::string>& command) {
  pipelined to(over);
  std::vector<std::string_view> words(command.begin(), command.end());
  words.emplace_back();
  std::string entry, message;
  finish_line end;
  for (auto _ : state) {
    to.plain().run({"DEL", "bench"});
    const auto began = clock::now();
    for (std::uint64_t i = 1; i <= events; ++i) {
      write_message(message, i);
      entry += message;
      if (i % per_entry != 0 && i != events) continue;
      words.back() = entry;
      to.send(words);
      entry.clear();
    }
    to.flush();
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, read_all(over, end, events), events);
  }
  to.plain().run({"DEL", "bench"});
  count_items(state, events);
}

void xadd(benchmark::State& state, link over, std::size_t events, std::size_t per_entry) {
  out(state, over, events, per_entry, {"XADD", "bench", "*", "data"});
}

/// A script that does no more than the command: what de-duplication pays before it begins.
void evalsha(benchmark::State& state, link over, std::size_t events) {
  const reply_ptr loaded =
      connection(over).run({"SCRIPT", "LOAD", "return redis.call('XADD', KEYS[1], '*', 'data', ARGV[1])"});
  out(state, over, events, 1, {"EVALSHA", loaded->str, "1", "bench"});
}

/// The same by the bridge: until the server has acknowledged all. How long `publish` takes is part of it.
void bridged_out(benchmark::State& state, link over, std::size_t events, bool deduplicate) {
  finish_line end;
  std::string message;
  for (auto _ : state) {
    connection(over).run({"DEL", "bench"});
    outgoing_stream to(over, {.deduplicate = deduplicate});
    const auto began = clock::now();
    for (std::uint64_t i = 1; i <= events; ++i) {
      write_message(message, i);
      to.send(message);
    }
    to.flush();
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, read_all(over, end, events), events);
  }
  connection(over).run({"DEL", "bench"});
  count_items(state, events);
}

void fill(link over, std::size_t events) {
  pipelined to(over);
  to.plain().run({"DEL", "bench"});
  std::string message;
  for (std::uint64_t i = 1; i <= events; ++i) {
    write_message(message, i);
    to.send({"XADD", "bench", "*", "data", message});
  }
  to.flush();
}

/// A stream from its beginning to its end.
void xread(benchmark::State& state, link over, std::size_t events) {
  fill(over, events);
  finish_line end;
  for (auto _ : state) {
    const auto began = clock::now();
    const receiver got = read_all(over, end, events);
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, got, events);
  }
  connection(over).run({"DEL", "bench"});
  count_items(state, events);
}

/// The same by the bridge: into a topic, to its subscriber. Setting up is not part of it.
void bridged_replay(benchmark::State& state, link over, std::size_t events) {
  fill(over, events);
  for (auto _ : state) {
    receivers<receiver> to(1);
    to.expect(events);
    incoming_stream from(over, to.each.front());
    const auto began = clock::now();
    from.read_all();
    to.end.wait();
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, to.each.front(), events);
  }
  connection(over).run({"DEL", "bench"});
  count_items(state, events);
}

/// A consumer of a group, alone: reads `at_once`, acknowledges them in one command.
void group(benchmark::State& state, link over, std::size_t events, const std::string& at_once) {
  fill(over, events);
  connection in(over);
  finish_line end;
  for (auto _ : state) {
    in.run({"XGROUP", "CREATE", "bench", "group", "0"});
    receiver got(end);
    got.expect(events);
    end.set(1);
    const auto began = clock::now();
    for (;;) {
      const reply_ptr reply =
          in.run({"XREADGROUP", "GROUP", "group", "one", "COUNT", at_once, "STREAMS", "bench", ">"});
      if (reply->type == REDIS_REPLY_NIL) break;
      for_each_message(*reply, [&](const small& each) { got.take(each); });
      const ::redisReply& entries = *reply->element[0]->element[1];
      std::vector<std::string_view> ack{"XACK", "bench", "group"};
      for (std::size_t i = 0; i < entries.elements; ++i) ack.emplace_back(entries.element[i]->element[0]->str);
      in.run(ack);
    }
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, got, events);
    if (in.run({"XPENDING", "bench", "group"})->element[0]->integer != 0) state.SkipWithError("something is pending");
    in.run({"XGROUP", "DESTROY", "bench", "group"});
  }
  in.run({"DEL", "bench"});
  count_items(state, events);
}

/// The same by the bridge: from the first read until all is acknowledged.
void bridged_group(benchmark::State& state, link over, std::size_t events, std::size_t max_in_flight) {
  fill(over, events);
  connection in(over);
  for (auto _ : state) {
    receivers<receiver> to(1);
    to.expect(events);
    group_consumer<receiver> consumer(over, to.each.front(), max_in_flight);
    in.run({"XGROUP", "CREATE", "bench", "group", "0"});
    const auto began = clock::now();
    consumer.begin();
    to.end.wait();
    consumer.end();
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    check(state, to.each.front(), events);
    if (in.run({"XPENDING", "bench", "group"})->element[0]->integer != 0) state.SkipWithError("something is pending");
    in.run({"XGROUP", "DESTROY", "bench", "group"});
  }
  in.run({"DEL", "bench"});
  count_items(state, events);
}

/// What publishing costs the publisher, whatever becomes of it.
void publishing(benchmark::State& state, beside what, std::size_t events) {
  published_topic topic(what);
  std::string message;
  for (auto _ : state) {
    const auto began = clock::now();
    for (std::uint64_t i = 1; i <= events; ++i) {
      write_message(message, i);
      topic.send(message);
    }
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
  }
  count_items(state, events);
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
       {std::pair{"unbridged", beside::a_subscriber}, std::pair{"unread", beside::nothing},
        std::pair{"bridge_up", beside::bridge_up}, std::pair{"bridge_down", beside::bridge_down}}) {
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
