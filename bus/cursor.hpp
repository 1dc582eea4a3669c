// One reader's place in one topic's log.
//
// Shared by two: the topic's writer starts it, reads its position to know what may be appended and trimmed, and marks
// it ready; its reader advances it. The position is stored with release after the call for an event has ended and
// loaded with acquire by the writer, which may then destroy the payload.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <bus/log.hpp>
#include <bus/overflow.hpp>
#include <bus/replay.hpp>

namespace actorbus::core {

class history_source_base;
class reader;
class topic_core;

/// Entries that a cursor replays before it goes on live; pinned, so that the log need not keep them for it.
struct replayed {
  stretch pinned;
  std::uint64_t first;
  std::uint64_t past;
  bool numbered = true;  ///< false: from a history source; subscribers see sequence 0
};

class cursor {
 public:
  struct limits {
    actorbus::overflow overflow;
    std::size_t capacity;  ///< 0: the topic's
  };
  static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

  cursor(std::shared_ptr<topic_core> topic, std::shared_ptr<core::reader> reader, limits how, replay from);

  topic_core& topic() const { return *topic_; }
  const std::shared_ptr<topic_core>& shared_topic() const { return topic_; }
  core::reader& reader() const { return *reader_; }
  const std::shared_ptr<core::reader>& shared_reader() const { return reader_; }
  const replay& from() const { return from_; }
  bool blocks() const { return how_.overflow == overflow::block; }
  actorbus::overflow overflow() const { return how_.overflow; }
  std::uint64_t capacity() const { return capacity_.load(std::memory_order_relaxed); }
  /// The topic got explicit options: a cursor without a capacity of its own takes theirs.
  void follow_capacity(std::size_t of_topic) {
    if (how_.capacity == 0) capacity_.store(of_topic, std::memory_order_relaxed);
  }
  /// Entries between `sequence` and the log's end.
  std::uint64_t lag_at(std::uint64_t sequence) const { return log_.end() - sequence; }

  // The topic's writer.

  /// Places the cursor: what it replays, then live from `live`; `trimmed` events before that are gone.
  void start(std::vector<replayed> replay, std::uint64_t live, std::uint64_t gone);
  std::uint64_t position() const { return position_.load(std::memory_order_acquire); }
  /// No event at or behind this may be appended while the cursor is here.
  std::uint64_t append_limit() const { return blocks() && !is_detached() ? position() + capacity() : unlimited; }
  /// Everything before this may be trimmed, as far as this cursor is concerned.
  std::uint64_t floor(std::uint64_t end) const {
    if (blocks()) return position();
    return std::max(position(), end > capacity() ? end - capacity() : 0);
  }
  /// True: the caller hands the cursor to its reader. acq_rel, partner of rest().
  bool mark_ready() {
    return !ready_.load(std::memory_order_relaxed) && !ready_.exchange(true, std::memory_order_acq_rel);
  }
  bool is_ready() const { return ready_.load(std::memory_order_relaxed); }

  // Anybody.

  /// The reader is gone: it limits nothing any more.
  void detach() { detached_.store(true, std::memory_order_release); }
  bool is_detached() const { return detached_.load(std::memory_order_acquire); }
  bool is_started() const { return started_.load(std::memory_order_acquire); }
  std::uint64_t live_start() const { return live_start_.load(std::memory_order_relaxed); }
  /// Everything replayed was handled.
  bool has_replayed() const {
    return replay_left_.load(std::memory_order_acquire) == 0 && !awaits_history.load(std::memory_order_acquire);
  }
  std::uint64_t replay_left() const { return replay_left_.load(std::memory_order_relaxed); }

  /// Counters, each written by the reader alone (`offered_before_live` by the topic once).
  struct counters {
    std::atomic<std::uint64_t> before_live{0};  ///< offered before the live part: replayed, or trimmed before it began
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> filtered{0};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> retries{0};
  };
  counters counts;
  static void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  // The reader.

  /// The call for the live event before `position` has ended.
  void advance(std::uint64_t position) { position_.store(position, std::memory_order_release); }
  /// After the last entry: no longer ready. The caller issues a seq_cst fence and looks once more.
  void rest() { ready_.store(false, std::memory_order_release); }
  /// The same for a replayed one.
  void advance_replay() {
    ++older[next_older].first;
    replay_left_.store(replay_left_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  }
  void add_older(std::vector<replayed> earlier);

  std::vector<replayed> older;                   ///< filled by start() and by a history source, oldest first
  std::size_t next_older = 0;                    ///< the one being replayed
  std::uint64_t trimmed = 0;                     ///< told first, as lagged
  bool tells_caught_up = false;                  ///< a replay that has not ended
  stretch pinned;                                ///< where it reads now
  std::size_t attempts = 0;                      ///< failed calls for the event at its position
  cursor* next_ready = nullptr;                  ///< link of the reader's ready list
  std::shared_ptr<history_source_base> history;  ///< to be asked for events older than the log's, before anything else
  std::atomic<bool> awaits_history{false};

 private:
  const std::shared_ptr<topic_core> topic_;
  const std::shared_ptr<core::reader> reader_;
  const limits how_;
  const replay from_;
  const core::log& log_;
  std::atomic<std::uint64_t> capacity_;
  std::atomic<bool> started_{false};
  std::atomic<bool> detached_{false};
  std::atomic<std::uint64_t> live_start_{0};
  std::atomic<std::uint64_t> replay_left_{0};
  alignas(64) std::atomic<std::uint64_t> position_{0};
  alignas(64) std::atomic<bool> ready_{false};
};

}  // namespace actorbus::core
