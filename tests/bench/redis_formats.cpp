// What a format costs an event, in nanoseconds: writing the fields of an entry or a message, and reading them back.
// With a payload of 100 bytes and an origin, as a bridge sends it; a run of 64 for `packed`. No server, no connection.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::bench {

namespace {

using namespace actorbus::redis;

const std::string payload(100, 'x');
const std::vector<field_view> flat{{"name", "lamp"}, {"state", "on"}, {"colour", "white"}};

struct events {
  explicit events(const wire_format& format, bool with_headers) {
    if (with_headers) headers.set("source", "odometry");
    for (std::size_t i = 0; i < std::min<std::size_t>(format.max_events(), 64); ++i) {
      all.push_back({"orders.created", payload, flat, &headers, "application/json", 0x9f86d081884c7d65, 1000 + i});
    }
  }

  actorbus::headers headers;
  std::vector<outgoing> all;
};

void count(benchmark::State& state, std::size_t an_iteration) {
  state.counters["ns"] = benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(an_iteration),
                                            benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void write_entry(benchmark::State& state, const wire_format& format, bool with_headers) {
  const events from(format, with_headers);
  std::string scratch;
  std::vector<field_view> fields;
  for (auto _ : state) {
    format.write_entry(from.all, scratch, fields);
    benchmark::DoNotOptimize(fields.data());
    benchmark::ClobberMemory();
  }
  count(state, from.all.size());
}

void read_entry(benchmark::State& state, const wire_format& format, bool with_headers) {
  const events from(format, with_headers);
  std::string scratch;
  std::vector<field_view> fields;
  format.write_entry(from.all, scratch, fields);
  std::vector<incoming> read;
  for (auto _ : state) {
    read.clear();
    if (format.read_entry(fields, read) != nullptr) state.SkipWithError("not readable");
    benchmark::DoNotOptimize(read.data());
    benchmark::ClobberMemory();
  }
  count(state, from.all.size());
}

void write_message(benchmark::State& state, const wire_format& format, bool with_headers) {
  const events from(format, with_headers);
  std::string scratch;
  for (auto _ : state) {
    benchmark::DoNotOptimize(format.write_message(from.all, scratch).data());
    benchmark::ClobberMemory();
  }
  count(state, from.all.size());
}

void read_message(benchmark::State& state, const wire_format& format, bool with_headers) {
  const events from(format, with_headers);
  std::string scratch;
  const std::string_view message = format.write_message(from.all, scratch);
  std::vector<incoming> read;
  for (auto _ : state) {
    read.clear();
    if (format.read_message(message, read) != nullptr) state.SkipWithError("not readable");
    benchmark::DoNotOptimize(read.data());
    benchmark::ClobberMemory();
  }
  count(state, from.all.size());
}

void add(const std::string& name, const wire_format& format, bool with_headers) {
  const auto name_of = [&](const char* what) { return "redis_formats/" + name + "/" + what; };
  const auto with = [&](auto run) {
    return [&format, with_headers, run](benchmark::State& state) { run(state, format, with_headers); };
  };
  benchmark::RegisterBenchmark(name_of("write_entry").c_str(), with(write_entry));
  benchmark::RegisterBenchmark(name_of("read_entry").c_str(), with(read_entry));
  if (!format.has_messages()) return;
  benchmark::RegisterBenchmark(name_of("write_message").c_str(), with(write_message));
  benchmark::RegisterBenchmark(name_of("read_message").c_str(), with(read_message));
}

void add_all() {
  for (const auto which : {format::native, format::raw, format::litestar, format::packed, format::watermill}) {
    const wire_format& one = wire_format_of(which, payload_shape::bytes);
    add(std::string(to_string(which)), one, false);
    if (one.entries_carry_origin()) add(std::string(to_string(which)) + "_with_header", one, true);
  }
  add("native_map", wire_format_of(format::native, payload_shape::fields), false);
  add("fields", wire_format_of(format::fields, payload_shape::fields), false);
}

}  // namespace

}  // namespace actorbus::bench

int main(int argc, char** argv) {
  actorbus::bench::add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
