// When to try again: exponential backoff with jitter, bounded. Knows no clock and no source of chance of its own.
//
// The nth delay is drawn evenly from the upper half of first * 2^(n-1), so that many who lost the same server do not
// come back together; never above `most`. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace actorbus::redis {

class retry_schedule {
 public:
  using duration = std::chrono::nanoseconds;

  /// Any 64 bits, such as a std::mt19937_64 gives.
  using random = std::function<std::uint64_t()>;

  /// Throws errc::invalid_argument unless 0 < first <= most.
  retry_schedule(duration first, duration most, random chance);

  /// How long to wait before the next attempt.
  duration next();

  /// It worked: begin with `first` again.
  void reset() noexcept { attempts_ = 0; }

  /// How often `next` was asked since the last reset.
  std::uint64_t attempts() const noexcept { return attempts_; }

 private:
  duration first_;
  duration most_;
  random chance_;
  std::uint64_t attempts_ = 0;
};

}  // namespace actorbus::redis
