// Percentiles of all samples, exact, as counters of a benchmark.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace actorbus::bench {

/// The nearest-rank percentile of sorted samples: the smallest one that at least `percent` of them do not exceed.
inline double percentile(const std::vector<std::int64_t>& sorted, double percent) {
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]);
}

/// Nanoseconds.
inline void report(benchmark::State& state, std::vector<std::int64_t> samples) {
  if (samples.empty()) return state.SkipWithError("no samples");
  std::sort(samples.begin(), samples.end());
  state.counters["p50"] = percentile(samples, 50);
  state.counters["p90"] = percentile(samples, 90);
  state.counters["p99"] = percentile(samples, 99);
  state.counters["max"] = static_cast<double>(samples.back());
  state.counters["samples"] = static_cast<double>(samples.size());
}

}  // namespace actorbus::bench
