#include <bus/subscription.hpp>

#include <bus/subscriber.hpp>

namespace actorbus {

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    cancel();
    core_ = std::move(other.core_);
  }
  return *this;
}

subscription::~subscription() { cancel(); }

void subscription::cancel() {
  if (core_) core_->cancel();  // kept, so that other threads may call this handle meanwhile
}

void subscription::pause() {
  if (core_) core_->pause();
}

void subscription::resume() {
  if (core_) core_->resume();
}

bool subscription::paused() const { return core_ && core_->is_paused(); }

bool subscription::active() const { return core_ && core_->is_active(); }

}  // namespace actorbus
