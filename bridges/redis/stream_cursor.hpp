// How far a stream was read, without any I/O: told what a read brought and what the server knows of the stream behind
// it, it finds what is missing.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <bridges/redis/reply.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bus/replay.hpp>

namespace actorbus::redis {

/// What XINFO STREAM says.
struct stream_facts {
  bool exists = false;
  std::uint64_t length = 0;
  stream_id last_generated = {};            ///< the newest id ever given
  std::optional<stream_id> first = {};      ///< of the oldest entry there
  std::optional<stream_id> last = {};       ///< of the newest one, which may be older: what came last may be deleted
  std::optional<std::uint64_t> added = {};  ///< entries ever added; servers before 7 do not tell

  static stream_facts of(const reply& info);
  /// Behind it nothing is there.
  stream_id end() const { return last ? *last : length == 0 ? stream_id{} : last_generated; }
};

/// What a read brought, one entry at least.
struct stream_read {
  stream_id first, last;
  std::uint64_t count;
  std::uint64_t gone;  ///< of those, by now trimmed
};

class stream_cursor {
 public:
  struct finding {
    enum class kind : std::uint8_t { nothing, trimmed, reset } what = kind::nothing;
    stream_id first = {}, last = {};                ///< of what was trimmed
    bool is_behind = false;                         ///< what was read stands before it
    std::optional<std::uint64_t> read_before = {};  ///< entries ever added before those that were read, if known
    const char* reason = "";                        ///< of a reset
  };

  /// Begins behind `position`; everything up to `replay_to` is replay. `read`: entries ever added up to there, if that
  /// is known from before. `goes_on`: everything behind `position` is wanted, though it may be gone.
  void begin(stream_id position, const stream_facts& now, std::optional<stream_id> replay_to,
             std::optional<std::uint64_t> read = std::nullopt, bool goes_on = false);
  /// Where a replay begins that needs no entry to be looked at; empty: `last`, see `begin_at_oldest_of`.
  static std::optional<stream_id> start_of(const replay& from, const stream_facts& now);

  bool has_begun() const { return begun_; }
  /// The last entry read: the next read begins behind it.
  stream_id position() const { return position_; }
  /// Entries ever added up to the position, if known: what is missing is found by counting.
  std::optional<std::uint64_t> read() const { return read_; }

  /// Compares what was read, if anything, with what the server knew next. After a reset the position is the stream's
  /// beginning, and what was read is not to be handed on: nobody can tell of which stream it was, and if it is of the
  /// new one it is read again. Else the position is behind what was read, and behind what is missing.
  finding look(const stream_facts& now, const std::optional<stream_read>& what = std::nullopt);
  /// True once: the replay is over, if everything up to there was handed on.
  bool has_caught_up(stream_id handed_on);
  /// Entries there and not read, as far as known.
  std::uint64_t lag() const { return lag_; }

 private:
  finding start_again(const stream_facts& now, const char* reason);
  bool is_another(const stream_facts& now, const std::optional<stream_read>& what) const;
  finding pass(const stream_facts& now, const std::optional<stream_read>& what);
  void reach_end(const stream_facts& now);

  bool begun_ = false;
  bool existed_ = false;
  stream_id position_;
  std::optional<stream_id> replay_to_;
  std::uint64_t added_ = 0;
  std::optional<std::uint64_t> read_;
  bool suspects_ = false;  ///< the position is of another time, and what followed it then may be gone
  std::uint64_t lag_ = 0;
};

}  // namespace actorbus::redis
