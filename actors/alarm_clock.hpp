// Wakes activities at set times. Its thread does nothing else, so that no busy worker delays an alarm.
//
// CAF's own clock cannot do this: each actor that ends puts an entry into the clock's bounded queue and waits for room
// there. An alarm that ends an actor, because its waker has gone meanwhile, would make the clock's thread wait for
// itself.
//
// Threads: `set` from any, but not after `close`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace actorbus::actors {

class activity_slot;

class alarm_clock {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Starts the thread, which calls `on_thread_start` first. Throws std::system_error if it cannot be had.
  explicit alarm_clock(std::function<void()> on_thread_start);
  ~alarm_clock();
  alarm_clock(const alarm_clock&) = delete;
  alarm_clock& operator=(const alarm_clock&) = delete;

  /// An alarm whose slot is gone by then does nothing.
  void set(std::weak_ptr<activity_slot> whom, time_point when);

  /// Forgets all alarms and ends the thread.
  void close();

 private:
  struct alarm {
    time_point when;
    std::weak_ptr<activity_slot> whom;
  };

  static bool later(const alarm& a, const alarm& b) { return a.when > b.when; }

  void run();
  bool wait_for_due(std::vector<alarm>& due);  // false: closed
  void take_due(std::vector<alarm>& due);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<alarm> alarms_;  // a heap, the earliest in front
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace actorbus::actors
