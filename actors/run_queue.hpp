// What spinning workers look at: a bounded ring that neither locks nor allocates, and behind it a list for what does
// not fit.
//
// Threads: push and pop from any. Order: first in, first out, give or take what several threads push at the same
// moment.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>

namespace actorbus::actors {

template <class Job, std::size_t Capacity>
class run_queue {
  static_assert((Capacity & (Capacity - 1)) == 0,
                "positions are taken modulo the capacity, also when they wrap around");

 public:
  run_queue() {
    for (std::size_t i = 0; i < Capacity; ++i) ring_[i].turn.store(i, std::memory_order_relaxed);
  }
  run_queue(const run_queue&) = delete;
  run_queue& operator=(const run_queue&) = delete;

  /// Allocates only when the ring is full.
  void push(Job* job) {
    // While something waits in the list, everything goes there, or a ring that never empties would keep it waiting for
    // ever.
    if (listed_.load(std::memory_order_relaxed) == 0 && push_to_ring(job)) return;
    std::lock_guard lock(mutex_);
    list_.push_back(job);
    listed_.store(list_.size(), std::memory_order_relaxed);
  }

  /// Null: nothing there.
  Job* pop() {
    if (Job* job = pop_from_ring()) return job;
    if (listed_.load(std::memory_order_relaxed) == 0) return nullptr;  // only a hint: who polls, looks again
    std::lock_guard lock(mutex_);
    if (list_.empty()) return nullptr;
    Job* job = list_.front();
    list_.pop_front();
    listed_.store(list_.size(), std::memory_order_relaxed);
    return job;
  }

 private:
  /// `turn` says whose it is: equal to a position, the pusher's of that position; one more, the popper's.
  struct cell {
    std::atomic<std::size_t> turn;
    Job* job;
  };

  bool push_to_ring(Job* job) {
    std::size_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
      cell& at = ring_[position % Capacity];
      // Acquire, the partner of pop_from_ring's release: the job of the last round has been read.
      const std::size_t turn = at.turn.load(std::memory_order_acquire);
      if (turn == position) {
        if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
          at.job = job;
          at.turn.store(position + 1, std::memory_order_release);
          return true;
        }
      } else if (turn + Capacity == position + 1) {
        return false;  // still to be popped from the last round
      } else {
        position = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  Job* pop_from_ring() {
    std::size_t position = head_.load(std::memory_order_relaxed);
    for (;;) {
      cell& at = ring_[position % Capacity];
      // Acquire, the partner of push_to_ring's release: the job, and what was written before it was pushed.
      const std::size_t turn = at.turn.load(std::memory_order_acquire);
      if (turn == position + 1) {
        if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
          Job* job = at.job;
          at.turn.store(position + Capacity, std::memory_order_release);
          return job;
        }
      } else if (turn == position) {
        return nullptr;  // not pushed yet
      } else {
        position = head_.load(std::memory_order_relaxed);
      }
    }
  }

  // Each on a cache line of its own, or pushers and poppers would slow each other.
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::array<cell, Capacity> ring_;
  std::atomic<std::size_t> listed_{0};  // how many are in list_; relaxed, since the mutex orders the list itself
  std::mutex mutex_;
  std::deque<Job*> list_;
};

}  // namespace actorbus::actors
