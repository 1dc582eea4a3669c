// A place where threads wait for a condition that others make true.
//
// Threads: any. Notifying costs one load while nobody waits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace actorbus::core {

class wait_point {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Waits until `done()` is true or `deadline` has passed; returns the last `done()`.
  /// `time_point::max()` waits without a limit. `done` may be called under this object's lock, by the waiting thread
  /// only.
  template <class Predicate>
  bool wait_until(time_point deadline, Predicate done) {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    // Partner: the caller's fence before notify(). Either the notifier sees this waiter, or `done` sees its change.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    bool result = false;
    {
      std::unique_lock lock(mutex_);
      while (!(result = done())) {
        if (deadline == time_point::max()) {
          changed_.wait(lock);
        } else if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
          result = done();
          break;
        }
      }
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return result;
  }

  /// Wakes every waiter. The caller made its change visible and issued a seq_cst fence since.
  void notify() {
    if (waiting_.load(std::memory_order_relaxed) == 0) return;
    { std::lock_guard lock(mutex_); }  // a waiter between its check and its sleep holds the lock
    changed_.notify_all();
  }

  /// The same, with the fence.
  void publish() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    notify();
  }

 private:
  std::atomic<int> waiting_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace actorbus::core
