#include <actors/open_slots.hpp>

#include <memory>
#include <vector>

#include <actors/activity_slot.hpp>

namespace actorbus::actors {

bool open_slots::add(activity_slot& slot) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  slot.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &slot;
  first_ = &slot;
  return true;
}

void open_slots::remove(activity_slot& slot) {
  std::lock_guard lock(mutex_);
  (slot.previous_ != nullptr ? slot.previous_->next_ : first_) = slot.next_;
  if (slot.next_ != nullptr) slot.next_->previous_ = slot.previous_;
  // Under the lock: once it is free, whoever waits may destroy this object.
  if (first_ == nullptr) emptied_.notify_all();
}

void open_slots::close_all() {
  std::vector<std::shared_ptr<activity_slot>> open;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto* slot = first_; slot != nullptr; slot = slot->next_) open.push_back(slot->shared_from_this());
  }
  for (const auto& slot : open) slot->close();
  std::unique_lock lock(mutex_);
  emptied_.wait(lock, [&] { return first_ == nullptr; });
}

}  // namespace actorbus::actors
