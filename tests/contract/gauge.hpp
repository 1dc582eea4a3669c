// A count that a test waits for while others raise it.
//
// Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace actorbus::contract {

class gauge {
 public:
  void add() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }

  std::uint64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

  /// Gives up when nothing was added for a minute.
  bool wait_for(std::uint64_t expected) {
    std::unique_lock lock(mutex_);
    while (count_ < expected) {
      const std::uint64_t before = count_;
      changed_.wait_for(lock, std::chrono::minutes{1}, [&] { return count_ != before; });
      if (count_ == before) return false;
    }
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

}  // namespace actorbus::contract
