// One event as a subscriber sees it: the payload, read in place, and what is known of it.
//
// Ownership: the event a handler receives is borrowed for the call. A copy of it pins the chunk that holds it (not the
// log) and may be kept anywhere for any time, also after the bus is gone. Threads: one event object is one thread's at
// a time; copies may be read on different threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include <bus/chunk.hpp>
#include <bus/metadata.hpp>

namespace actorbus {

namespace core {

/// The place of one entry. `sequence` is what subscribers see.
struct entry_view {
  chunk* holder;
  const entry* at;
  std::uint64_t sequence;

  std::string_view topic() const { return holder->identity().name; }
  std::chrono::system_clock::time_point time() const {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds{at->time})};
  }
  const actorbus::headers& headers() const {
    static const actorbus::headers none;
    return at->note != nullptr ? at->note->headers : none;
  }
  std::uint64_t origin() const { return at->note != nullptr ? at->note->origin : 0; }
  std::uint64_t origin_sequence() const { return at->note != nullptr ? at->note->origin_sequence : 0; }
  /// Where its payload `value` lives, for another entry to refer to.
  payload_reference refer_to(const void* value) const {
    if (at->note != nullptr && at->note->elsewhere.value() != nullptr) return at->note->elsewhere;
    return {holder, value};
  }
  actorbus::metadata metadata() const { return {topic(), sequence, time(), headers(), origin(), origin_sequence()}; }
};

/// Calls `take` with the events from `first` to before `past`, all in the pinned chunk, until it returns false, which
/// then is the result.
template <class Take>
bool look_at(chunk& holder, std::uint64_t first, std::uint64_t past, const Take& take) {
  for (; first < past; ++first) {
    const entry* const at = holder.at(first);
    const bool is_notice = at->note != nullptr && at->note->notice;
    if (!is_notice && !take(entry_view{&holder, at, first}.metadata())) return false;
  }
  return true;
}

}  // namespace core

template <class T>
class event {
 public:
  using value_type = T;

  event(const event& other) : view_(other.view_), value_(other.value_), pins_(true) { view_.holder->pin(); }
  /// Moving from a borrowed event pins too: the result may outlive the call.
  event(event&& other) noexcept : view_(other.view_), value_(other.value_), pins_(true) {
    if (!std::exchange(other.pins_, false)) view_.holder->pin();
  }
  event& operator=(event other) noexcept {
    std::swap(view_, other.view_);
    std::swap(value_, other.value_);
    std::swap(pins_, other.pins_);
    return *this;
  }
  ~event() {
    if (pins_) view_.holder->unpin();
  }

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_; }
  const T& value() const { return *value_; }

  std::string_view topic() const { return view_.topic(); }
  /// Its place in the topic's order, from 1; 0 if it is older than this process.
  std::uint64_t sequence() const { return view_.sequence; }
  /// When it was appended. Never decreases along a topic.
  std::chrono::system_clock::time_point time() const { return view_.time(); }
  const actorbus::headers& headers() const { return view_.headers(); }
  /// What its publisher set (publisher_options::origin), 0 if nothing.
  std::uint64_t origin() const { return view_.origin(); }
  std::uint64_t origin_sequence() const { return view_.origin_sequence(); }
  actorbus::metadata metadata() const { return view_.metadata(); }

  /// Borrows; for those who deliver.
  event(core::entry_view view, const T* value) : view_(view), value_(value), pins_(false) {}
  core::entry_view view() const { return view_; }

 private:
  core::entry_view view_;
  const T* value_;
  bool pins_;
};

}  // namespace actorbus
