// What the benchmarks do with a stream that one end alone works on: out to it, back from it, and through a group; by
// bare hiredis and by the bridge.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "receiver.hpp"
#include "redis_ours.hpp"
#include "redis_peers.hpp"

namespace actorbus::bench {

/// What a round publishes, as throughput.cpp does: 1 to `count`.
constexpr std::uint64_t sum_of(std::uint64_t count) { return count * (count + 1) / 2; }

inline void check(benchmark::State& state, const receiver& got, std::uint64_t expected) {
  if (got.count() != expected) state.SkipWithError("messages were lost or doubled");
  if (got.sum() != sum_of(expected)) state.SkipWithError("other messages arrived");
}

inline void count_items(benchmark::State& state, std::uint64_t each) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(each));
}

/// What a stream holds, counted and added up.
inline receiver read_all(link over, finish_line& end, std::size_t expected) {
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
inline void out(benchmark::State& state, link over, std::size_t events, std::size_t per_entry,
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

inline void xadd(benchmark::State& state, link over, std::size_t events, std::size_t per_entry) {
  out(state, over, events, per_entry, {"XADD", "bench", "*", "data"});
}

/// A script that does no more than the command: what de-duplication pays before it begins.
inline void evalsha(benchmark::State& state, link over, std::size_t events) {
  const reply_ptr loaded =
      connection(over).run({"SCRIPT", "LOAD", "return redis.call('XADD', KEYS[1], '*', 'data', ARGV[1])"});
  out(state, over, events, 1, {"EVALSHA", loaded->str, "1", "bench"});
}

/// The same by the bridge: until the server has acknowledged all. How long `publish` takes is part of it.
inline void bridged_out(benchmark::State& state, link over, std::size_t events, bool deduplicate) {
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

inline void fill(link over, std::size_t events) {
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
inline void xread(benchmark::State& state, link over, std::size_t events) {
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
inline void bridged_replay(benchmark::State& state, link over, std::size_t events) {
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
inline void group(benchmark::State& state, link over, std::size_t events, const std::string& at_once) {
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
inline void bridged_group(benchmark::State& state, link over, std::size_t events, std::size_t max_in_flight) {
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

}  // namespace actorbus::bench
