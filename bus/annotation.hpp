// What an event carries beside its payload: headers, an origin, a notice, or a reference to another event's payload.
//
// Most events carry none of it, so an entry holds one pointer, null as a rule. Immutable once published, shared by
// count.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <bus/headers.hpp>
#include <bus/notices.hpp>

namespace actorbus::core {

class chunk;

/// A payload that lives in another chunk; a pin of its payloads keeps it alive. How a move-only payload becomes a dead
/// letter.
class payload_reference {
 public:
  payload_reference() = default;
  payload_reference(chunk* holder, const void* value);  // pins
  payload_reference(const payload_reference& other);    // pins
  payload_reference(payload_reference&& other) noexcept
      : holder_(std::exchange(other.holder_, nullptr)), value_(std::exchange(other.value_, nullptr)) {}
  payload_reference& operator=(payload_reference other) noexcept {
    std::swap(holder_, other.holder_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~payload_reference();

  const void* value() const { return value_; }

 private:
  chunk* holder_ = nullptr;
  const void* value_ = nullptr;
};

struct annotation {
  actorbus::headers headers;
  std::uint64_t origin = 0;                  ///< 0: this process
  std::uint64_t origin_sequence = 0;         ///< the sequence it had there
  std::unique_ptr<const log_notice> notice;  ///< set: the entry is a notice and has no payload
  payload_reference elsewhere;               ///< set: the payload is another event's

  bool replaces_payload() const { return notice != nullptr || elsewhere.value() != nullptr; }

  void retain() const { uses_.fetch_add(1, std::memory_order_relaxed); }

  /// acq_rel: every holder's last read happens before the deletion.
  static void release(const annotation* note) {
    if (note != nullptr && note->uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete note;
  }

 private:
  mutable std::atomic<std::uint32_t> uses_{1};
};

/// glibc frees up to 120 bytes without a lock. Each event that a bridge brings has an annotation, made by one thread
/// and freed by others: with a lock they wait for each other.
static_assert(sizeof(annotation) <= 120);

/// Owns one use of an annotation.
class annotation_ptr {
 public:
  annotation_ptr() = default;
  explicit annotation_ptr(const annotation* note) : note_(note) {}
  annotation_ptr(const annotation_ptr& other) : note_(other.note_) {
    if (note_ != nullptr) note_->retain();
  }
  annotation_ptr(annotation_ptr&& other) noexcept : note_(std::exchange(other.note_, nullptr)) {}
  annotation_ptr& operator=(annotation_ptr other) noexcept {
    std::swap(note_, other.note_);
    return *this;
  }
  ~annotation_ptr() { annotation::release(note_); }

  const annotation* get() const { return note_; }
  const annotation* leave() { return std::exchange(note_, nullptr); }
  /// The headers of one that was not published: nobody else has it, and annotations are not made const.
  actorbus::headers take_headers() { return std::move(const_cast<annotation*>(note_)->headers); }
  explicit operator bool() const { return note_ != nullptr; }

 private:
  const annotation* note_ = nullptr;
};

}  // namespace actorbus::core
