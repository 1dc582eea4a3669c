// Calls at given times: retries, request timeouts, reclamation. One activity on a thread of its own, so that a timeout
// comes on time when every worker is busy.
//
// Threads: any. A callback runs on the timers' thread and must be short: it completes a promise or wakes an activity.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <bus/engine.hpp>

namespace actorbus::core {

class timers : public activity, public std::enable_shared_from_this<timers> {
 public:
  using time_point = engine::time_point;
  using handle = std::pair<time_point, std::uint64_t>;

  explicit timers(engine& by) : engine_(by) {}

  handle at(time_point when, std::function<void()> callback);
  /// False: it has run, runs now, or was cancelled.
  bool cancel(const handle& which);
  /// Forgets everything; later calls are ignored.
  void stop();

  bool run() override;

 private:
  engine& engine_;
  std::mutex mutex_;
  std::map<handle, std::function<void()>> due_;
  std::unique_ptr<waker> waker_;
  std::uint64_t next_ = 1;
  time_point armed_ = time_point::max();
  bool stopped_ = false;
};

}  // namespace actorbus::core
