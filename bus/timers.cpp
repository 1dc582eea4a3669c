#include <bus/timers.hpp>

#include <vector>

namespace actorbus::core {

timers::handle timers::at(time_point when, std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  const handle id{when, next_++};
  if (stopped_) return id;
  if (!waker_) waker_ = engine_.add(weak_from_this(), placement::own_thread);
  due_.emplace(id, std::move(callback));
  if (when < armed_) {
    armed_ = when;
    waker_->wake_at(when);
  }
  return id;
}

bool timers::cancel(const handle& which) {
  std::function<void()> gone;  // destroyed behind the lock: it may hold the last reference to anything
  std::lock_guard lock(mutex_);
  const auto found = due_.find(which);
  if (found == due_.end()) return false;
  gone = std::move(found->second);
  due_.erase(found);
  return true;
}

void timers::stop() {
  std::map<handle, std::function<void()>> gone;
  std::lock_guard lock(mutex_);
  stopped_ = true;
  gone.swap(due_);
}

bool timers::run() {
  std::vector<std::function<void()>> now;
  {
    std::lock_guard lock(mutex_);
    const auto past = due_.upper_bound({engine_.now(), ~std::uint64_t{0}});
    for (auto each = due_.begin(); each != past; ++each) now.push_back(std::move(each->second));
    due_.erase(due_.begin(), past);
    armed_ = due_.empty() ? time_point::max() : due_.begin()->first.first;
    if (!due_.empty()) waker_->wake_at(armed_);
  }
  for (const auto& each : now) each();
  return false;
}

}  // namespace actorbus::core
