#include <bridges/redis/supervisor.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <bus/in_handler.hpp>

namespace actorbus::redis {

namespace {

/// Somebody whose callback takes for ever is not told of every attempt.
constexpr std::size_t most_news = 1024;

constexpr std::array<const char*, 4> purposes{"commands", "messages", "reading", "group"};

}  // namespace

std::string_view to_string(phase which) noexcept {
  switch (which) {
    case phase::connecting:
      return "connecting";
    case phase::ready:
      return "ready";
    case phase::lost:
      return "lost";
    case phase::closed:
      return "closed";
  }
  return "unknown";
}

void supervisor::start() { waker_ = bus_->engine().add(weak_from_this(), placement::pool); }

void supervisor::on_state(callback what) {
  std::lock_guard lock(mutex_);
  fresh_.push_back(std::make_shared<callback>(std::move(what)));
  waker_->wake();
}

bool supervisor::all_up() const {
  return unasked_ == 0 &&
         std::none_of(roles_.begin(), roles_.end(), [](const auto& each) { return each.second == standing::down; });
}

bool supervisor::is_ready() const {
  std::lock_guard lock(mutex_);
  return !closed_ && all_up();
}

void supervisor::tell(state what) {
  if (news_.size() == most_news) news_.pop_front();
  announced_ = what.phase == phase::ready;
  news_.push_back(std::move(what));
  waker_->wake();
  changed_.notify_all();
}

void supervisor::look() {
  if (!closed_ && !announced_ && all_up()) tell({phase::ready, {}, number_});
}

void supervisor::need(role what, const void* whose) {
  std::lock_guard lock(mutex_);
  roles_.emplace(std::pair{what, whose}, standing::down);
  ++unasked_;
}

void supervisor::asked(role) {
  std::lock_guard lock(mutex_);
  --unasked_;
  look();
  changed_.notify_all();
}

void supervisor::waits(role what) {
  std::lock_guard lock(mutex_);
  roles_[{what, nullptr}] = standing::down;
}

void supervisor::connecting(role what, const void* whose) {
  std::lock_guard lock(mutex_);
  numbers_[{what, whose}] = ++number_;
  // Up so far is one that rested.
  if (const auto at = roles_.find({what, whose}); at != roles_.end()) at->second = standing::down;
  if (!closed_) tell({phase::connecting, {}, number_});
}

void supervisor::ready(role what, const void* whose) {
  std::lock_guard lock(mutex_);
  roles_[{what, whose}] = standing::up;
  look();
  changed_.notify_all();
}

void supervisor::gone(role what, const void* whose) {
  std::lock_guard lock(mutex_);
  roles_.erase({what, whose});
  numbers_.erase({what, whose});
  look();
  changed_.notify_all();
}

void supervisor::lost(role what, const std::string& reason, const void* whose) {
  std::lock_guard lock(mutex_);
  roles_[{what, whose}] = standing::down;
  if (!closed_)
    tell({phase::lost, std::string(purposes[static_cast<std::size_t>(what)]) + ": " + reason, numbers_[{what, whose}]});
}

void supervisor::closed() {
  std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  tell({phase::closed, {}, number_});
}

bool supervisor::wait_ready(std::chrono::nanoseconds within) {
  core::require_outside_handler("bridge::wait_ready");
  std::unique_lock lock(mutex_);
  const auto is_decided = [this] { return closed_ || all_up(); };
  // A wait without an end must not overflow the clock.
  changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(within, std::chrono::hours{24 * 365}), is_decided);
  return !closed_ && all_up();
}

bool supervisor::run() {
  std::deque<state> news;
  std::vector<std::shared_ptr<callback>> known;
  std::vector<std::shared_ptr<callback>> fresh;
  state last;
  {
    std::lock_guard lock(mutex_);
    news.swap(news_);
    known = callbacks_;
    fresh.swap(fresh_);
    callbacks_.insert(callbacks_.end(), fresh.begin(), fresh.end());
    last = last_;
    if (!news.empty()) last_ = news.back();
  }
  auto call = [&](const std::shared_ptr<callback>& whom, const state& what) {
    core::handler_scope inside;
    try {
      (*whom)(what);
    } catch (...) {
      bus_->report_failure("on_state of a bridge", std::current_exception());
    }
  };
  if (last.connection != 0) {
    for (const auto& each : fresh) call(each, last);
  }
  known.insert(known.end(), fresh.begin(), fresh.end());
  for (const auto& what : news) {
    for (const auto& each : known) call(each, what);
  }
  return false;
}

}  // namespace actorbus::redis
