#include <actors/alarm_clock.hpp>

#include <algorithm>
#include <utility>

#include <actors/activity_slot.hpp>

namespace actorbus::actors {

alarm_clock::alarm_clock(std::function<void()> on_thread_start)
    : thread_([this, on_start = std::move(on_thread_start)] {
        if (on_start) on_start();
        run();
      }) {}

alarm_clock::~alarm_clock() { close(); }

void alarm_clock::set(std::weak_ptr<activity_slot> whom, time_point when) {
  std::lock_guard lock(mutex_);
  const bool earliest = alarms_.empty() || when < alarms_.front().when;
  alarms_.push_back({when, std::move(whom)});
  std::push_heap(alarms_.begin(), alarms_.end(), later);
  if (earliest) changed_.notify_one();
}

void alarm_clock::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    alarms_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void alarm_clock::run() {
  std::vector<alarm> due;
  while (wait_for_due(due)) {
    for (const auto& one : due) {
      if (const auto slot = one.whom.lock()) slot->wake();
    }
    due.clear();
  }
}

bool alarm_clock::wait_for_due(std::vector<alarm>& due) {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    take_due(due);
    if (!due.empty()) return true;
    if (alarms_.empty()) {
      changed_.wait(lock);
    } else {
      const time_point next = alarms_.front().when;  // a copy: others change the heap during the wait
      changed_.wait_until(lock, next);
    }
  }
  return false;
}

void alarm_clock::take_due(std::vector<alarm>& due) {
  const auto now = std::chrono::steady_clock::now();
  while (!alarms_.empty() && alarms_.front().when <= now) {
    std::pop_heap(alarms_.begin(), alarms_.end(), later);
    due.push_back(std::move(alarms_.back()));
    alarms_.pop_back();
  }
}

}  // namespace actorbus::actors
