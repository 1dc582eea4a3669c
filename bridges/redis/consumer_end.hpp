// What a consumer's handle and its part on the loop share: how one ends the other, and waits for it.
//
// Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace actorbus::redis {

class bridge_core;
class group_consumer;
class group_hands;

class consumer_end {
 public:
  consumer_end(std::weak_ptr<bridge_core> core, std::weak_ptr<group_consumer> what, std::shared_ptr<group_hands> hands)
      : core_(std::move(core)), what_(std::move(what)), hands_(std::move(hands)) {}

  bool stop(std::chrono::nanoseconds within);
  void kill();
  /// As ~consumer does.
  void leave();
  bool is_active() const;

  /// By the loop: nothing more happens. `all`: everything it held is acknowledged.
  void ended(bool all);

 private:
  void begin(void (group_consumer::*what)());

  const std::weak_ptr<bridge_core> core_;
  const std::weak_ptr<group_consumer> what_;
  const std::shared_ptr<group_hands> hands_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool active_ = true;
  bool over_ = false;
  bool all_ = false;
};

}  // namespace actorbus::redis
