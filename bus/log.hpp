// A topic's log: chunks of entries that one writer appends to and trims, and that cursors read in place.
//
// Threads: one writer at a time (whoever holds the topic's baton). Readers: `begin`, `end`, `pin` from any thread.
// Order: `end` is stored with release after its entries were written and loaded with acquire by readers: an entry below
// `end` is wholly visible. The mutex guards the list of chunks; it is taken once a chunk or a wake-up, not once an
// event.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <bus/chunk.hpp>

namespace actorbus::core {

/// Consecutive entries in one chunk. Holds a pin on it.
class stretch {
 public:
  stretch() = default;
  stretch(chunk* holder, std::uint64_t sequence) : holder_(holder), sequence_(sequence) {}  // adopts a pin
  stretch(stretch&& other) noexcept { swap(other); }
  stretch& operator=(stretch&& other) noexcept {
    swap(other);
    return *this;
  }
  ~stretch() { release(); }

  void release() {
    if (holder_ != nullptr) std::exchange(holder_, nullptr)->unpin();
  }
  chunk* holder() const { return holder_; }
  bool holds(std::uint64_t sequence) const {
    // Not beyond what an idle log gave back: it goes on in another chunk.
    return holder_ != nullptr && sequence >= sequence_ && sequence < holder_->limit();
  }

 private:
  void swap(stretch& other) noexcept {
    std::swap(holder_, other.holder_);
    std::swap(sequence_, other.sequence_);
  }
  chunk* holder_ = nullptr;
  std::uint64_t sequence_ = 0;  ///< the first one that this pin protects
};

class log {
 public:
  static constexpr std::size_t max_chunk_bytes = 64 * 1024;
  static constexpr std::size_t first_chunk_entries = 8;

  log(std::shared_ptr<topic_identity> identity, std::uint64_t first);
  ~log();
  log(const log&) = delete;
  log& operator=(const log&) = delete;

  /// The first sequence it ever had.
  std::uint64_t first() const { return first_; }
  std::uint64_t begin() const { return begin_.load(std::memory_order_acquire); }
  std::uint64_t end() const { return end_.load(std::memory_order_acquire); }

  /// Writer: raw places for at least one entry; `room` says how many in a row.
  entry* slots(std::size_t& room);
  /// Writer: the first `count` of them are constructed; stamps them. Not yet visible.
  void append(std::size_t count, std::int64_t time);
  /// Writer: makes everything appended visible to readers.
  void publish() { end_.store(next_, std::memory_order_release); }
  std::uint64_t next() const { return next_; }
  /// The last stamp given, 0 before the first. Relaxed: to others than the writer it is a hint.
  std::int64_t last_time() const { return last_time_.load(std::memory_order_relaxed); }

  /// Writer: nothing before `floor` is needed any more. Destroys those payloads unless a pin holds their chunk; a later
  /// trim catches up on those.
  void trim(std::uint64_t floor);
  /// The same in the middle of a stream: only chunks that are passed as a whole go, and the payloads of the last one
  /// are left to those who publish meanwhile. Whoever allocates then also frees, and does not contend with the writer
  /// for the allocator's locks.
  void trim_in_stream(std::uint64_t floor);
  /// Anybody: a chunk that everybody has passed waits for its payloads to be destroyed. Relaxed: a hint.
  bool has_worn() const { return worn_.load(std::memory_order_relaxed) != nullptr; }
  /// Anybody: destroys at most `most` of them. False: others are left, and wait again, unless a newer chunk does.
  bool destroy_worn(std::size_t most);
  /// Anybody: destroys them all.
  void clear_worn();
  /// Writer: gives memory back; all of it if the log is empty, the spare chunk in any case.
  void give_back();
  /// Trimming would destroy something: payloads with destructors or annotations. Written by the writer, read anywhere.
  bool keeps_resources() const { return keeps_resources_.load(std::memory_order_relaxed); }
  /// Writer: payloads that are to be destroyed wait for somebody's pin to go.
  bool has_undestroyed() const;

  /// Pins the chunk that holds `position`, or the oldest one there is if that is trimmed; `position` becomes the first
  /// sequence the pin protects. Precondition: position < end().
  stretch pin(std::uint64_t& position) const;

  std::size_t pinned_chunks() const;

 private:
  chunk* grow();
  void wear_out(chunk* gone);
  void put_aside(chunk* empty);
  chunk* find(std::uint64_t position) const;

  const std::shared_ptr<topic_identity> identity_;
  const std::size_t max_entries_;
  const std::uint64_t first_;
  mutable std::mutex mutex_;
  chunk* head_ = nullptr;
  chunk* tail_ = nullptr;
  // Each belongs to whoever exchanges it for null; acquire and release hand its content on.
  std::atomic<chunk*> spare_{nullptr};  // empty, for the writer's next need
  std::atomic<chunk*> worn_{nullptr};   // passed by everybody, its payloads not yet all destroyed
  std::uint64_t next_;
  std::atomic<std::int64_t> last_time_{0};
  std::size_t next_capacity_ = first_chunk_entries;
  std::atomic<bool> keeps_resources_;
  std::atomic<std::uint64_t> begin_;
  std::atomic<std::uint64_t> end_;
};

}  // namespace actorbus::core
