#include <actors/activity_slot.hpp>

#include <utility>

#include <actors/activity_host.hpp>

namespace actorbus::actors {

// Memory orders: every successful change of the word is an acq_rel read-modify-write, so that each one sees what all
// earlier ones released. That gives the three orders an activity needs:
// - a wake before the slice that answers it: begin_slice, which takes `pending` away, acquires what was written before
//   the wake. With a plain load as a short cut in wake() the slice might miss that, and the wake would be lost.
// - one slice before the next, on whatever thread: begin_slice acquires what end_slice released.
// - whatever happened inside before finish(): it follows the last guest's change, which acquires all others'.

namespace {

thread_local bool hands_over = false;                     // a pool activity's slice runs on this thread
thread_local std::shared_ptr<activity_slot> handed_over;  // what is to run behind it

}  // namespace

activity_slot::activity_slot(activity_host& host, std::weak_ptr<activity> what, placement where)
    : where_(where),
      host_(&host),
      activity_(std::move(what)),
      awake_(where == placement::pool ? host.awake : nullptr) {}

void activity_slot::open() {
  if (!host_->slots.add(*this)) {
    word_.store(closed, std::memory_order_relaxed);  // no other thread knows this slot yet
    return;
  }
  if (where_ != placement::own_thread || !enter()) return;
  try {
    actor_ = start_actor(host_->system, shared_from_this(), where_);
  } catch (...) {
    leave();
    throw;
  }
  leave();
}

void activity_slot::wake() {
  if (!rise()) return;
  const auto self = shared_from_this();  // the slice may destroy the waker before this returns
  ring();
}

void activity_slot::wake_next() {
  if (where_ != placement::pool || !hands_over || handed_over) return wake();
  if (!rise()) return;
  handed_over = shared_from_this();
  leave();
}

/// Notes a wake. True: the caller rings, and is inside until it did. False: nothing to ring, or somebody does.
bool activity_slot::rise() {
  word seen = word_.load(std::memory_order_relaxed);
  word next = 0;
  do {
    if (seen & closed) return false;
    next = seen | pending;
    if (!(seen & busy)) next = (next | busy) + one_guest;
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed));
  return !(seen & busy);  // if it is busy, the actor finds `pending` before it rests
}

/// By the one who set busy, inside: sends the message, and leaves.
void activity_slot::ring() {
  if (!actor_) {
    try {
      actor_ = start_actor(host_->system, shared_from_this(), where_);
    } catch (...) {
      word_.fetch_and(~(busy | pending), std::memory_order_acq_rel);
      leave();
      throw;
    }
  }
  count_awake(1);
  actors::ring(*actor_);
  leave();
}

void activity_slot::wake_at(time_point when) {
  if (when <= std::chrono::steady_clock::now()) return wake();
  if (when == time_point::max() || !enter()) return;
  const auto self = shared_from_this();  // see wake
  host_->alarms.set(self, when);
  leave();
}

void activity_slot::close() noexcept {
  const word before = word_.fetch_or(closed, std::memory_order_acq_rel);
  if (before < one_guest && !(before & closed)) finish();
}

bool activity_slot::run() {
  hands_over = where_ == placement::pool;
  const bool more = slice();
  hands_over = false;
  if (!more) count_awake(-1);
  return more;
}

void activity_slot::run_next() {
  while (const auto next = std::exchange(handed_over, nullptr)) {
    next->count_awake(1);
    hands_over = true;
    const bool more = next->slice();
    hands_over = false;
    if (more && next->enter()) next->ring();  // busy is still set: nobody else rings
    next->count_awake(-1);
  }
}

bool activity_slot::slice() {
  if (!begin_slice()) return false;
  bool more = false;
  if (const auto what = activity_.lock()) more = what->run();
  return end_slice(more);
}

void activity_slot::count_awake(int more) {
  if (awake_) awake_->fetch_add(more, std::memory_order_relaxed);
}

bool activity_slot::begin_slice() {
  word seen = word_.load(std::memory_order_relaxed);
  do {
    if (seen & closed) return false;
  } while (!word_.compare_exchange_weak(seen, (seen & ~pending) + one_guest, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  return true;
}

bool activity_slot::end_slice(bool more) {
  word seen = word_.load(std::memory_order_relaxed);
  bool again = false;
  word next = 0;
  do {
    again = !(seen & closed) && (more || (seen & pending));
    next = (again ? seen : seen & ~busy) - one_guest;
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed));
  if ((seen & closed) && next < one_guest) finish();
  return again;
}

bool activity_slot::enter() {
  word seen = word_.load(std::memory_order_relaxed);
  do {
    if (seen & closed) return false;
  } while (!word_.compare_exchange_weak(seen, seen + one_guest, std::memory_order_acq_rel, std::memory_order_relaxed));
  return true;
}

void activity_slot::leave() noexcept {
  const word before = word_.fetch_sub(one_guest, std::memory_order_acq_rel);
  if ((before & closed) && before < 2 * one_guest) finish();
}

void activity_slot::finish() noexcept {
  actor_.reset();
  host_->slots.remove(*this);
}

}  // namespace actorbus::actors
