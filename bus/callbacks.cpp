#include <bus/callbacks.hpp>

#include <bus/in_handler.hpp>

namespace actorbus::core {

void callbacks::post(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  if (!waker_) waker_ = engine_.add(weak_from_this(), placement::pool);
  waiting_.push_back(std::move(callback));
  if (waiting_.size() == 1) waker_->wake();
}

bool callbacks::run() {
  std::vector<std::function<void()>> now;
  {
    std::lock_guard lock(mutex_);
    now.swap(waiting_);
    runs_ = true;
  }
  for (auto& each : now) {
    handler_scope inside;
    each();
  }
  std::lock_guard lock(mutex_);
  runs_ = false;
  return !waiting_.empty();
}

bool callbacks::empty() const {
  std::lock_guard lock(mutex_);
  return waiting_.empty() && !runs_;
}

}  // namespace actorbus::core
