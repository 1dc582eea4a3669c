// A run of consecutive entries of one topic, in one piece of memory; pinned as a whole.
//
// Ownership: counted by pins. The log holds one pin while the chunk is linked, a reader one while it reads in it, a
// kept event one while it lives. Whoever drops the last lets go of the annotations, and then of the payloads, unless
// another chunk's annotation refers to one of them: those are counted by themselves, so that two chunks that refer to
// each other's payloads do not keep each other alive. With the last payload goes the memory, so an event may outlive
// the bus. Threads: pins anywhere; everything else is the log's writer's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <typeindex>

#include <bus/entry.hpp>

namespace actorbus::core {

/// What the chunks and lanes of a topic share, and what outlives the topic with them.
struct topic_identity {
  topic_identity(std::string topic_name, const payload_type& type) : name(std::move(topic_name)), payload(type) {}

  const std::string name;
  const payload_type& payload;
  std::atomic<std::uint64_t> pinned_chunks{0};  ///< chunks the log has let go of and that kept events still hold
  std::atomic<std::size_t> spilled{0};          ///< entries in the spills of all lanes
};

class chunk {
 public:
  /// A chunk for `capacity` entries, the first of which gets the sequence `first`.
  static chunk* make(std::shared_ptr<topic_identity> identity, std::uint64_t first, std::size_t capacity);

  chunk(const chunk&) = delete;
  chunk& operator=(const chunk&) = delete;

  void pin() { pins_.fetch_add(1, std::memory_order_relaxed); }

  /// acq_rel: the last holder sees every other holder's reads end before it destroys.
  void unpin() {
    if (pins_.fetch_sub(1, std::memory_order_acq_rel) == 1) release_annotations();
  }

  /// The same for payloads alone. All pins together hold one of these.
  void pin_payloads() { payload_pins_.fetch_add(1, std::memory_order_relaxed); }
  void unpin_payloads() {
    if (payload_pins_.fetch_sub(1, std::memory_order_acq_rel) == 1) dispose();
  }

  /// Only the log's own pin is left. Acquire, the partner of unpin's release: reads under the other pins are over.
  bool is_quiet() const {
    return pins_.load(std::memory_order_acquire) == 1 && payload_pins_.load(std::memory_order_acquire) == 1;
  }

  const topic_identity& identity() const { return *identity_; }
  std::uint64_t first() const { return first_; }
  std::uint64_t past() const { return first_ + appended_; }
  std::size_t capacity() const { return capacity_; }
  /// Behind the last sequence that is in it, or, while the log has it, may come to be. Acquire, the partner of unlink's
  /// release: nothing is added any more.
  std::uint64_t limit() const { return first_ + (unlinked_.load(std::memory_order_acquire) ? appended_ : capacity_); }
  std::size_t room() const { return capacity_ - appended_; }

  entry* at(std::uint64_t sequence) { return reinterpret_cast<entry*>(entries_ + (sequence - first_) * stride_); }
  entry* free_slot() { return reinterpret_cast<entry*>(entries_ + appended_ * stride_); }
  void add(std::size_t count) { appended_ += count; }

  /// Destroys the payloads of all entries before `sequence` that still have theirs. The caller knows nobody reads them.
  void destroy_before(std::uint64_t sequence);
  /// The same for the first `most` that still have theirs. True: these were the last.
  bool destroy_some(std::size_t most);
  bool has_undestroyed_before(std::uint64_t sequence) const { return first_ + destroyed_ < sequence; }

  /// The log's farewell: drops its pin; counts the chunk as pinned if somebody else still holds it.
  void unlink();

  /// Empties a quiet chunk so that it serves again from `first`.
  void reuse(std::uint64_t first);

  chunk* next = nullptr;  ///< the log's list, guarded by its mutex

 private:
  chunk() = default;
  ~chunk() = default;
  void release_annotations();
  void dispose();
  void free();

  std::atomic<std::uint32_t> pins_{1};
  std::atomic<std::uint32_t> payload_pins_{1};
  std::uint64_t first_ = 0;
  std::size_t capacity_ = 0;
  std::size_t appended_ = 0;
  std::size_t destroyed_ = 0;
  std::size_t stride_ = 0;
  std::byte* entries_ = nullptr;
  std::atomic<bool> unlinked_{false};
  std::shared_ptr<topic_identity> identity_;
};

}  // namespace actorbus::core
