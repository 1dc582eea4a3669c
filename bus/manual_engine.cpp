#include <bus/manual_engine.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace actorbus {

namespace {

// Any fixed instants do; these read well in a failing test, and leave room for tests that look back.
constexpr manual_engine::time_point first_now{std::chrono::hours{1}};
constexpr manual_engine::wall_point first_wall{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}};

/// One added activity. Guarded by the agenda's mutex.
struct entry {
  std::weak_ptr<activity> what;
  bool queued = false;
  bool running = false;
  bool closed = false;

  bool alive() const { return !closed && !what.expired(); }
};

using entry_ptr = std::shared_ptr<entry>;

}  // namespace

/// What is to be run, what is to be woken and when, and what time it is. Threads: any.
class manual_engine::agenda {
 public:
  void wake(const entry_ptr& who) {
    std::lock_guard lock(mutex_);
    append(who);
  }

  void wake_at(const entry_ptr& who, time_point when) {
    std::lock_guard lock(mutex_);
    if (when <= now_) return append(who);
    if (!stopped_ && !who->closed) alarms_.emplace(when, who);
  }

  void close(const entry_ptr& who) {
    std::lock_guard lock(mutex_);
    who->closed = true;
    std::erase(queue_, who);
    std::erase_if(alarms_, [&](const auto& alarm) { return alarm.second == who; });
  }

  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    queue_.clear();
    alarms_.clear();
  }

  /// The first that is awake and not in the middle of a slice, marked as running; its activity held alive. Empty: none.
  std::pair<entry_ptr, std::shared_ptr<activity>> begin() {
    std::lock_guard lock(mutex_);
    for (auto next = queue_.begin(); next != queue_.end();) {
      if ((*next)->running) {
        ++next;
        continue;
      }
      entry_ptr who = *next;
      next = queue_.erase(next);
      who->queued = false;
      if (auto what = who->what.lock()) {
        who->running = true;
        return {who, std::move(what)};
      }
    }
    return {};
  }

  void end(const entry_ptr& who, bool more) {
    std::lock_guard lock(mutex_);
    who->running = false;
    if (more) append(who);
  }

  /// When the next alarm of a living activity rings.
  std::optional<time_point> next_alarm() {
    std::lock_guard lock(mutex_);
    std::erase_if(alarms_, [](const auto& alarm) { return !alarm.second->alive(); });
    return alarms_.empty() ? std::nullopt : std::optional{alarms_.begin()->first};
  }

  /// Moves both clocks and rings what is due.
  void move_to(time_point when) {
    std::lock_guard lock(mutex_);
    wall_ += std::chrono::duration_cast<wall_point::duration>(when - now_);
    now_ = when;
    while (!alarms_.empty() && alarms_.begin()->first <= now_) {
      append(alarms_.begin()->second);
      alarms_.erase(alarms_.begin());
    }
  }

  void set_wall(wall_point to) {
    std::lock_guard lock(mutex_);
    wall_ = to;
  }

  time_point now() const {
    std::lock_guard lock(mutex_);
    return now_;
  }

  wall_point wall_now() const {
    std::lock_guard lock(mutex_);
    return wall_;
  }

 private:
  void append(const entry_ptr& who) {
    if (stopped_ || who->queued || !who->alive()) return;
    who->queued = true;
    queue_.push_back(who);
  }

  mutable std::mutex mutex_;
  bool stopped_ = false;
  time_point now_ = first_now;
  wall_point wall_ = first_wall;
  std::deque<entry_ptr> queue_;
  std::multimap<time_point, entry_ptr> alarms_;  // equal times stay in the order in which they were set
};

class manual_engine::manual_waker final : public waker {
 public:
  manual_waker(std::shared_ptr<agenda> on, std::weak_ptr<activity> what) : agenda_(std::move(on)) {
    who_->what = std::move(what);
  }
  ~manual_waker() override { agenda_->close(who_); }

  void wake() override { agenda_->wake(who_); }
  void wake_at(time_point when) override { agenda_->wake_at(who_, when); }

 private:
  const std::shared_ptr<agenda> agenda_;
  const entry_ptr who_ = std::make_shared<entry>();
};

manual_engine::manual_engine() : agenda_(std::make_shared<agenda>()) {}

manual_engine::~manual_engine() { agenda_->stop(); }

bool manual_engine::step() {
  require_driver("step");
  auto [who, what] = agenda_->begin();
  if (!who) return false;
  bool more = false;
  try {
    more = what->run();
  } catch (...) {  // a test's failed assertion; the next test step may go on
    agenda_->end(who, false);
    throw;
  }
  agenda_->end(who, more);
  return true;
}

std::size_t manual_engine::run(std::size_t guard) { return run_before(time_point::max(), guard); }

std::size_t manual_engine::run_before(time_point end, std::size_t guard) {
  std::size_t slices = 0;
  while (now() <= end && step()) {
    if (++slices > guard) throw std::logic_error("manual_engine::run: more than " + std::to_string(guard) + " slices");
  }
  return slices;
}

std::size_t manual_engine::run_until(time_point end) {
  std::size_t slices = run();
  for (auto next = agenda_->next_alarm(); next && *next <= end; next = agenda_->next_alarm()) {
    agenda_->move_to(*next);
    slices += run();
  }
  return slices;
}

std::size_t manual_engine::advance(std::chrono::nanoseconds by) {
  require_driver("advance");
  const time_point end = now() + by;
  const std::size_t slices = run_until(end);
  agenda_->move_to(end);
  return slices;
}

void manual_engine::set_wall(wall_point to) {
  require_driver("set_wall");
  agenda_->set_wall(to);
}

std::unique_ptr<waker> manual_engine::add(std::weak_ptr<activity> what, placement) {
  return std::make_unique<manual_waker>(agenda_, std::move(what));
}

manual_engine::time_point manual_engine::now() const { return agenda_->now(); }

manual_engine::wall_point manual_engine::wall_now() const { return agenda_->wall_now(); }

bool manual_engine::wait(core::wait_point&, time_point deadline, const std::function<bool()>& done) {
  require_driver("wait");
  const time_point end = std::max(deadline, now());  // what is ready runs, however short the wait
  for (;;) {
    run_before(end, default_guard);
    if (done()) return true;
    if (now() > end) return false;  // a handler took its time
    const auto next = agenda_->next_alarm();
    if (next && *next <= deadline) {
      agenda_->move_to(*next);
      continue;
    }
    if (deadline == time_point::max()) {
      throw std::logic_error("manual_engine::wait: nothing is left to run or to wake, and there is no deadline");
    }
    if (deadline > now()) agenda_->move_to(deadline);
    return done();
  }
}

void manual_engine::stop() { agenda_->stop(); }

void manual_engine::require_driver(const char* what) const {
  if (std::this_thread::get_id() == driver_) return;
  throw std::logic_error(std::string{"manual_engine::"} + what +
                         ": called by a thread other than the one that drives it");
}

}  // namespace actorbus
