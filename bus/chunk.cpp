#include <bus/chunk.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace actorbus::core {

namespace {

std::size_t round_up(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Stands where an annotation said that the entry has no payload of its own. Never destroyed: static objects may hold
/// events.
const annotation& bare() {
  static const annotation* const self = [] {
    auto* note = new annotation;
    note->notice = std::make_unique<const log_notice>();
    return note;
  }();
  return *self;
}

std::align_val_t alignment_of(const payload_type& type) {
  return std::align_val_t{std::max({type.alignment, alignof(chunk), alignof(std::max_align_t)})};
}

}  // namespace

payload_reference::payload_reference(chunk* holder, const void* value) : holder_(holder), value_(value) {
  holder_->pin_payloads();
}

payload_reference::payload_reference(const payload_reference& other) : holder_(other.holder_), value_(other.value_) {
  if (holder_ != nullptr) holder_->pin_payloads();
}

payload_reference::~payload_reference() {
  if (holder_ != nullptr) holder_->unpin_payloads();
}

chunk* chunk::make(std::shared_ptr<topic_identity> identity, std::uint64_t first, std::size_t capacity) {
  const payload_type& type = identity->payload;
  const std::size_t header = round_up(sizeof(chunk), std::max(type.alignment, alignof(std::max_align_t)));
  void* memory = ::operator new(header + capacity * type.stride, alignment_of(type));
  auto* self = ::new (memory) chunk;
  self->first_ = first;
  self->capacity_ = capacity;
  self->stride_ = type.stride;
  self->entries_ = static_cast<std::byte*>(memory) + header;
  self->identity_ = std::move(identity);
  return self;
}

void chunk::destroy_before(std::uint64_t sequence) {
  const std::size_t until = std::min<std::uint64_t>(sequence - first_, appended_);
  for (; destroyed_ < until; ++destroyed_) {
    entry* e = reinterpret_cast<entry*>(entries_ + destroyed_ * stride_);
    const annotation* note = e->note;
    if (note == nullptr) {
      if (!identity_->payload.trivial) identity_->payload.destroy_payload(e);
      continue;
    }
    if (!note->replaces_payload()) identity_->payload.destroy_payload(e);
    annotation::release(note);
  }
}

bool chunk::destroy_some(std::size_t most) {
  destroy_before(first_ + destroyed_ + std::min(most, appended_ - destroyed_));
  return destroyed_ == appended_;
}

void chunk::unlink() {
  unlinked_.store(true, std::memory_order_release);  // behind the last `add`
  identity_->pinned_chunks.fetch_add(1, std::memory_order_relaxed);
  unpin();
}

void chunk::reuse(std::uint64_t first) {
  first_ = first;
  appended_ = 0;
  destroyed_ = 0;
  next = nullptr;
}

void chunk::release_annotations() {
  for (std::size_t i = destroyed_; i < appended_; ++i) {
    entry* e = reinterpret_cast<entry*>(entries_ + i * stride_);
    if (e->note == nullptr) continue;
    const annotation* gone = std::exchange(e->note, nullptr);
    if (gone->replaces_payload()) (e->note = &bare())->retain();
    annotation::release(gone);
  }
  unpin_payloads();
}

void chunk::dispose() {
  destroy_before(first_ + appended_);
  if (unlinked_.load(std::memory_order_relaxed)) {
    identity_->pinned_chunks.fetch_sub(1, std::memory_order_relaxed);
  }
  free();
}

void chunk::free() {
  const std::align_val_t alignment = alignment_of(identity_->payload);
  this->~chunk();
  ::operator delete(static_cast<void*>(this), alignment);
}

}  // namespace actorbus::core
