// The handle of a subscription: while it lives, its handler is called.
//
// Threads: any call from any thread; moving and destroying is its owner's.
// Ownership: movable; its destructor cancels. It may outlive the bus.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace actorbus {

namespace core {
class subscriber;
}

class subscription {
 public:
  /// Of nothing: not active, and every call does nothing.
  subscription() = default;
  explicit subscription(std::shared_ptr<core::subscriber> what) : core_(std::move(what)) {}
  subscription(subscription&&) noexcept = default;
  /// Cancels what it held before.
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// Ends it. Outside handlers a barrier: when it returns, the handler is not running, is never called again, and is
  /// destroyed. Inside any handler it never waits: no call begins after it returned, one already running elsewhere may
  /// end.
  void cancel();

  /// No call begins after it returned, until resume; one already running may end. Its events wait in the topic, so that
  /// with overflow::block a paused subscription sooner or later stops the topic.
  void pause();
  void resume();
  bool paused() const;

  /// It was neither cancelled nor ended by its topic, its overflow, its on_error, its owner or the bus. A paused one is
  /// active.
  bool active() const;

 private:
  std::shared_ptr<core::subscriber> core_;
};

}  // namespace actorbus
