// The right to wake one activity that a CAF actor runs. Its destructor ends the actor.
#pragma once

#include <memory>
#include <utility>

#include <actors/activity_slot.hpp>
#include <bus/engine.hpp>

namespace actorbus::actors {

class caf_waker final : public waker {
 public:
  explicit caf_waker(std::shared_ptr<activity_slot> slot) : slot_(std::move(slot)) {}
  ~caf_waker() override { slot_->close(); }
  caf_waker(const caf_waker&) = delete;
  caf_waker& operator=(const caf_waker&) = delete;

  void wake() override { slot_->wake(); }
  void wake_next() override { slot_->wake_next(); }
  void wake_at(std::chrono::steady_clock::time_point when) override { slot_->wake_at(when); }

 private:
  const std::shared_ptr<activity_slot> slot_;
};

// A process holds one waker and one slot for each idle topic.
static_assert(sizeof(caf_waker) + sizeof(activity_slot) <= 128);

}  // namespace actorbus::actors
