#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/consumer_end.hpp>

#include <algorithm>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/consumer.hpp>
#include <bridges/redis/group_consumer.hpp>
#include <bridges/redis/group_hands.hpp>
#include <bus/in_handler.hpp>

namespace actorbus::redis {

void consumer_end::begin(void (group_consumer::*what)()) {
  const auto core = core_.lock();
  if (!core) return ended(false);
  core->loop().post([weak = what_, what] {
    if (const auto self = weak.lock()) (self.get()->*what)();
  });
}

bool consumer_end::stop(std::chrono::nanoseconds within) {
  {
    std::lock_guard lock(mutex_);
    active_ = false;
  }
  begin(&group_consumer::finish);
  if (core::in_handler()) return false;
  {
    std::unique_lock lock(mutex_);
    // A wait without an end must not overflow the clock.
    changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(within, std::chrono::hours{24 * 365}),
                      [this] { return over_; });
  }
  kill();
  std::lock_guard lock(mutex_);
  return all_;
}

void consumer_end::kill() {
  hands_->close();
  {
    std::lock_guard lock(mutex_);
    active_ = false;
  }
  begin(&group_consumer::stop);
  if (!core::in_handler()) hands_->wait_idle();
}

void consumer_end::leave() {
  if (core::in_handler()) return kill();
  const auto core = core_.lock();
  stop(core ? core->options().close_within : std::chrono::nanoseconds{0});
}

bool consumer_end::is_active() const {
  std::lock_guard lock(mutex_);
  return active_;
}

void consumer_end::ended(bool all) {
  std::lock_guard lock(mutex_);
  active_ = false;
  if (!std::exchange(over_, true)) all_ = all;
  changed_.notify_all();
}

consumer& consumer::operator=(consumer&& other) noexcept {
  if (this == &other) return *this;
  if (end_) end_->leave();
  end_ = std::move(other.end_);
  return *this;
}

consumer::~consumer() {
  if (end_) end_->leave();
}

bool consumer::stop(std::chrono::nanoseconds within) { return !end_ || end_->stop(within); }

void consumer::kill() {
  if (end_) end_->kill();
}

bool consumer::active() const { return end_ && end_->is_active(); }

}  // namespace actorbus::redis
