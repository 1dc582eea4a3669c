// A topic as its publishers meet it: what is refused, waiting for room, and helping out meanwhile.
#include <string>
#include <thread>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/errors.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

/// Looks at a full lane before its publisher sleeps: about twenty microseconds at first, then as long as it takes
/// others to have their turn on this processor, of whom one may be who makes room.
constexpr int spins_when_full = 400;
constexpr int yields_when_full = 200;
constexpr int looks_before_help = 64;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

std::error_code topic_core::refusal(bool from_handler) const {
  switch (gate_.load(std::memory_order_relaxed)) {
    case gate::open:
      return {};
    case gate::draining:
      return from_handler ? std::error_code{} : make_error_code(errc::closed);
    case gate::finished:
      return make_error_code(errc::finished);
    case gate::closed:
      break;
  }
  return make_error_code(errc::closed);
}

std::error_code topic_core::refuse(std::error_code why) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  return why;
}

std::error_code topic_core::intercept(headers& with, std::uint64_t origin) const {
  const interceptor& each = options().intercept;
  if (!each) return {};
  handler_scope inside;
  try {
    return each(metadata{name(), 0, {}, with, origin, 0}, with);
  } catch (...) {
    bus_->report_failure("interceptor of topic '" + name() + "'", std::current_exception());
    return make_error_code(errc::handler_failed);
  }
}

bool topic_core::wait_for_room(lane& of, engine::time_point deadline) {
  // Whoever drains the lane takes less time than a sleep and a wake-up; and if the actor was woken and has not begun,
  // this thread does the step.
  for (int i = 0; i < spins_when_full + yields_when_full; ++i) {
    if (!of.full()) return true;
    if (bell_.is_stalled()) break;
    if (i % looks_before_help == 0) help();
    if (i < spins_when_full) {
      relax();
    } else if (bus_->engine().now() < deadline) {
      std::this_thread::yield();
    }
  }
  return bus_->engine().wait(of.room(), deadline,
                             [&] { return !of.full() || of.is_sealed() || refusal(false) != std::error_code{}; });
}

/// What was left is the next publisher's. If there is none, and the topic came to rest meanwhile, it is ours.
void topic_core::leave_worn() {
  // Partner: the fence of the bell's rest. Either this sees the rest, or the writer sees what was put back.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (bell_.is_idle() || bell_.is_stalled()) log_.clear_worn();
}

bool topic_core::help() {
  if (!bell_.take()) return false;
  step();
  if (rest_or_continue()) wake();
  return true;
}

void topic_core::finish() {
  auto now = gate_.load(std::memory_order_relaxed);
  while (now == gate::open || now == gate::draining) {
    if (gate_.compare_exchange_weak(now, gate::finished, std::memory_order_acq_rel)) {
      post({control::kind::finish, nullptr, {}});
      std::lock_guard lock(mutex_);
      for (auto& each : lanes_) each->room().publish();
      return;
    }
  }
}

std::shared_ptr<lane> topic_core::add_lane(std::shared_ptr<lane> fresh) {
  std::lock_guard lock(mutex_);
  const auto now = gate_.load(std::memory_order_relaxed);
  if (now == gate::finished || now == gate::closed) return nullptr;
  lanes_.push_back(fresh);
  lanes_version_.fetch_add(1, std::memory_order_release);
  return fresh;
}

}  // namespace actorbus::core
