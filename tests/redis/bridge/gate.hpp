// A gate that a handler waits at until the test opens it, and that the test sees it wait at.
#pragma once

#include <condition_variable>
#include <mutex>

#include "tests/redis/bridge/process.hpp"

namespace actorbus::testing {

class gate {
 public:
  /// The handler's side.
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool await(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

/// Opens it at the end, also of a test that failed: behind the consumer or subscription, whose end waits for its
/// handler.
class opened_at_end {
 public:
  explicit opened_at_end(gate& which) : which_(which) {}
  opened_at_end(const opened_at_end&) = delete;
  opened_at_end& operator=(const opened_at_end&) = delete;
  ~opened_at_end() { which_.open(); }

 private:
  gate& which_;
};

}  // namespace actorbus::testing
