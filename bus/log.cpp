#include <bus/log.hpp>

#include <algorithm>
#include <limits>

namespace actorbus::core {

log::log(std::shared_ptr<topic_identity> identity, std::uint64_t first)
    : identity_(std::move(identity)),
      max_entries_(std::max<std::size_t>(1, max_chunk_bytes / identity_->payload.stride)),
      first_(first),
      next_(first),
      keeps_resources_(!identity_->payload.trivial),
      begin_(first),
      end_(first) {}

log::~log() {
  while (head_ != nullptr) {
    chunk* gone = std::exchange(head_, head_->next);
    gone->unlink();
  }
  for (chunk* left : {spare_.load(std::memory_order_acquire), worn_.load(std::memory_order_acquire)}) {
    if (left != nullptr) left->unpin();
  }
}

entry* log::slots(std::size_t& room) {
  if (tail_ == nullptr || tail_->room() == 0) grow();
  room = tail_->room();
  return tail_->free_slot();
}

void log::append(std::size_t count, std::int64_t time) {
  time = std::max(last_time(), time);  // append times never decrease, whatever the system clock does
  last_time_.store(time, std::memory_order_relaxed);
  const std::size_t stride = identity_->payload.stride;
  auto* at = reinterpret_cast<std::byte*>(tail_->free_slot());
  for (std::size_t i = 0; i < count; ++i, at += stride) {
    auto* e = reinterpret_cast<entry*>(at);
    e->time = time;
    if (e->note != nullptr) keeps_resources_.store(true, std::memory_order_relaxed);
  }
  tail_->add(count);
  next_ += count;
}

chunk* log::grow() {
  chunk* fresh = spare_.exchange(nullptr, std::memory_order_acquire);
  if (fresh != nullptr && fresh->capacity() >= next_capacity_) {
    fresh->reuse(next_);
  } else {
    if (fresh != nullptr) fresh->unpin();
    fresh = chunk::make(identity_, next_, std::min(next_capacity_, max_entries_));
    next_capacity_ = std::min(next_capacity_ * 2, max_entries_);
  }
  std::lock_guard lock(mutex_);
  (tail_ == nullptr ? head_ : tail_->next) = fresh;
  return tail_ = fresh;
}

void log::trim_in_stream(std::uint64_t floor) {
  if (floor > begin_.load(std::memory_order_relaxed)) {
    std::lock_guard lock(mutex_);
    begin_.store(floor, std::memory_order_release);  // under the mutex: no later pin protects anything below
  }
  while (head_ != nullptr && head_ != tail_ && head_->past() <= floor) {
    chunk* gone;
    {
      std::lock_guard lock(mutex_);
      gone = std::exchange(head_, head_->next);
    }
    if (gone->is_quiet()) {
      wear_out(gone);
    } else {
      gone->unlink();
    }
  }
}

void log::trim(std::uint64_t floor) {
  trim_in_stream(floor);
  clear_worn();
  if (head_ == nullptr || !keeps_resources() || !head_->has_undestroyed_before(floor)) return;
  // A pin taken from now on protects sequences from `floor` on; one taken earlier shows in the count.
  bool quiet;
  {
    std::lock_guard lock(mutex_);
    quiet = head_->is_quiet();
  }
  if (quiet) head_->destroy_before(floor);
}

void log::wear_out(chunk* gone) {
  if (keeps_resources()) gone = worn_.exchange(gone, std::memory_order_acq_rel);
  if (gone == nullptr) return;
  gone->destroy_before(gone->past());  // nobody publishes, or too slowly
  put_aside(gone);
}

bool log::destroy_worn(std::size_t most) {
  chunk* taken = worn_.exchange(nullptr, std::memory_order_acquire);
  if (taken == nullptr) return true;
  if (taken->destroy_some(most)) {
    put_aside(taken);
    return true;
  }
  if (chunk* newer = nullptr; worn_.compare_exchange_strong(newer, taken, std::memory_order_release)) return false;
  taken->destroy_before(taken->past());
  put_aside(taken);
  return false;
}

void log::clear_worn() {
  while (has_worn()) destroy_worn(std::numeric_limits<std::size_t>::max());
}

void log::put_aside(chunk* empty) {
  chunk* none = nullptr;
  if (!spare_.compare_exchange_strong(none, empty, std::memory_order_release, std::memory_order_relaxed))
    empty->unpin();
}

void log::give_back() {
  clear_worn();
  if (chunk* spare = spare_.exchange(nullptr, std::memory_order_acquire)) spare->unpin();
  chunk* gone = nullptr;
  if (head_ != nullptr && head_ == tail_ && begin() == next_) {
    std::lock_guard lock(mutex_);
    gone = std::exchange(head_, nullptr);
    tail_ = nullptr;
  }
  if (gone != nullptr) gone->unlink();
  next_capacity_ = first_chunk_entries;
}

bool log::has_undestroyed() const {
  return head_ != nullptr && keeps_resources() && head_->has_undestroyed_before(begin());
}

chunk* log::find(std::uint64_t position) const {
  if (position >= tail_->first()) return tail_;
  chunk* at = head_;
  while (at->next != nullptr && at->next->first() <= position) at = at->next;
  return at;
}

stretch log::pin(std::uint64_t& position) const {
  std::lock_guard lock(mutex_);
  position = std::max(position, begin_.load(std::memory_order_relaxed));
  if (tail_ == nullptr) return {};
  chunk* found = find(position);
  found->pin();
  return stretch(found, position);
}

std::size_t log::pinned_chunks() const {
  std::size_t count = identity_->pinned_chunks.load(std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  for (const chunk* at = head_; at != nullptr; at = at->next) {
    if (!at->is_quiet()) ++count;
  }
  return count;
}

}  // namespace actorbus::core
