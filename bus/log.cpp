#include <bus/log.hpp>

#include <algorithm>

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
  if (spare_ != nullptr) spare_->unpin();
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
  chunk* fresh = std::exchange(spare_, nullptr);
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

void log::trim(std::uint64_t floor) {
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
    if (spare_ == nullptr && gone->is_quiet() && gone->capacity() * 2 >= next_capacity_) {
      gone->destroy_before(gone->past());
      spare_ = gone;
    } else {
      gone->unlink();
    }
  }
  if (head_ == nullptr || !keeps_resources() || !head_->has_undestroyed_before(floor)) return;
  // A pin taken from now on protects sequences from `floor` on; one taken earlier shows in the count.
  bool quiet;
  {
    std::lock_guard lock(mutex_);
    quiet = head_->is_quiet();
  }
  if (quiet) head_->destroy_before(floor);
}

void log::give_back() {
  if (spare_ != nullptr) std::exchange(spare_, nullptr)->unpin();
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
