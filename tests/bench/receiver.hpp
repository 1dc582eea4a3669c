// What the benchmarks deliver to: receivers that count and add up, and that say when all of them have everything.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "payload.hpp"

namespace actorbus::bench {

/// Counts receivers down to the last.
class finish_line {
 public:
  void set(std::size_t receivers) { left_.store(receivers, std::memory_order_release); }
  void cross() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_all();
  }
  void wait() const {
    for (auto left = left_.load(std::memory_order_acquire); left != 0; left = left_.load(std::memory_order_acquire)) {
      left_.wait(left, std::memory_order_acquire);
    }
  }

 private:
  std::atomic<std::size_t> left_{0};
};

/// One subscriber's side: how many arrived, and the sum of their numbers. Threads: one at a time.
class alignas(64) receiver {
 public:
  explicit receiver(finish_line& end) : end_(&end) {}

  void expect(std::uint64_t count) {
    count_ = sum_ = 0;
    expected_ = count;
  }
  template <class T>
  void take(const T& value) {
    sum_ += number_of(value);
    if (++count_ == expected_) end_->cross();
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t expected_ = 0;
  finish_line* end_;
};

/// One subscriber's side of a latency benchmark: how long each event took.
class alignas(64) stopwatch {
 public:
  explicit stopwatch(finish_line& end) : end_(&end) {}

  void expect(std::uint64_t count) {
    samples_.clear();
    samples_.reserve(count);
    expected_ = count;
  }
  void take(const small& value) {
    samples_.push_back(now_ns() - value.sent);
    if (samples_.size() == expected_) end_->cross();
  }
  const std::vector<std::int64_t>& samples() const { return samples_; }

 private:
  std::vector<std::int64_t> samples_;
  std::uint64_t expected_ = 0;
  finish_line* end_;
};

template <class Receiver>
struct receivers {
  finish_line end;
  std::deque<Receiver> each;  // does not move them

  explicit receivers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) each.emplace_back(end);
  }
  /// Threads: none receives meanwhile.
  void expect(std::uint64_t count) {
    for (auto& one : each) one.expect(count);
    end.set(each.size());
  }
};

/// What is to be wired up: `subscribers` receivers on each of `topics` topics, and `publishers` threads that publish.
struct wiring {
  std::size_t publishers = 1;
  std::size_t topics = 1;
  std::size_t subscribers = 1;
};

}  // namespace actorbus::bench
