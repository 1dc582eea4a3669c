// A handler that fails for one value a few times, and notes when it was called.
//
// Threads: the one that drives the manual engine.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bus/manual_bus.hpp"

namespace actorbus::testing {

/// Throws for `value` the first `failures` times.
class stubborn {
 public:
  stubborn(const manual_bus& on, int value, int failures) : on_(on), value_(value), failures_(failures) {}

  auto handler() {
    return [this](const int& i) {
      calls_.push_back(on_.engine->now() - start_);
      if (i == value_ && failures_ > 0 && failures_-- > 0) throw std::runtime_error("not " + std::to_string(i));
      seen_.push_back(i);
    };
  }
  const std::vector<int>& seen() const { return seen_; }
  /// When it was called, from the making of this object.
  const std::vector<std::chrono::nanoseconds>& calls() const { return calls_; }

 private:
  const manual_bus& on_;
  const engine::time_point start_ = on_.engine->now();
  const int value_;
  int failures_;
  std::vector<int> seen_;
  std::vector<std::chrono::nanoseconds> calls_;
};

}  // namespace actorbus::testing
