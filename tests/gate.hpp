// A gate that holds a handler until the test opens it.
//
// Threads: any. Nobody is held longer than 20 seconds, so that a test ends also if the product is wrong.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace actorbus::testing {

class gate {
 public:
  /// Waits until the gate is open.
  void pass() {
    std::unique_lock lock(mutex_);
    ++arrivals_;
    changed_.notify_all();
    changed_.wait_for(lock, patience, [this] { return open_; });
  }

  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  /// Waits until so many have come to the gate. False: they did not come.
  bool reached(int by = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return arrivals_ >= by; });
  }

 private:
  static constexpr std::chrono::seconds patience{20};

  std::mutex mutex_;
  std::condition_variable changed_;
  int arrivals_ = 0;
  bool open_ = false;
};

/// Opens a gate when the scope ends, also by a failed assertion. Declare it behind the subscription or consumer, whose
/// end waits for the handler.
class opens_at_the_end {
 public:
  explicit opens_at_the_end(gate& which) : which_(which) {}
  ~opens_at_the_end() { which_.open(); }
  opens_at_the_end(const opens_at_the_end&) = delete;
  opens_at_the_end& operator=(const opens_at_the_end&) = delete;

 private:
  gate& which_;
};

}  // namespace actorbus::testing
