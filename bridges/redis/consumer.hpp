// The handle of a consumer of a group: while it lives, its handler is called.
//
// Threads: any call from any thread; moving and destroying is its owner's. Ownership: movable; it may outlive the
// bridge and the bus, which end it. Its destructor stops it, and waits for what is in flight
// bridge_options::close_within; in a handler it does not wait.
#pragma once

#include <chrono>
#include <memory>

namespace actorbus::redis {

class consumer_end;

class consumer {
 public:
  /// Of nothing: not active, and every call does nothing.
  consumer() = default;
  explicit consumer(std::shared_ptr<consumer_end> what) : end_(std::move(what)) {}
  consumer(consumer&&) noexcept = default;
  /// Stops what it held before.
  consumer& operator=(consumer&& other) noexcept;
  ~consumer();

  /// Takes no more, finishes what it holds, acknowledges it, and leaves the group. What is about to be retried is left
  /// to the others, who get it within a second. True: all of that was done within this time. Else it goes on as `kill`
  /// does. In a handler it does not wait: it returns false, and goes on by itself.
  bool stop(std::chrono::nanoseconds within);
  /// Leaves what it holds pending: others claim it, or the next of its name. No call of the handler begins any more,
  /// and nothing is acknowledged; outside handlers it waits until no call runs.
  void kill();

  /// It was not ended, by whomever.
  bool active() const;

 private:
  std::shared_ptr<consumer_end> end_;
};

}  // namespace actorbus::redis
