// How far a stream was read, without any I/O: told what the server knows of the stream, it finds what is missing.
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
  stream_id last_generated = {};             ///< the newest id ever given
  std::optional<stream_id> first = {};       ///< of the oldest entry there
  std::optional<std::uint64_t> added = {};   ///< entries ever added; servers before 7 do not tell

  static stream_facts of(const reply& info);
};

class stream_cursor {
 public:
  struct finding {
    enum class kind : std::uint8_t { nothing, trimmed, reset } what = kind::nothing;
    stream_id first = {}, last = {};  ///< of what was trimmed
    const char* reason = "";          ///< of a reset
  };

  /// Begins behind `position`; everything up to `replay_to` is replay. `read`: entries ever added up to there, if that is
  /// known from before. `goes_on`: everything behind `position` is wanted, though it may be gone.
  void begin(stream_id position, const stream_facts& now, std::optional<stream_id> replay_to,
             std::optional<std::uint64_t> read = std::nullopt, bool goes_on = false);
  /// Where a replay begins that needs no entry to be looked at; empty: `last`, see `begin_at_oldest_of`.
  static std::optional<stream_id> start_of(const replay& from, const stream_facts& now);

  bool has_begun() const { return begun_; }
  /// The last entry handed on.
  stream_id position() const { return position_; }
  void advance(stream_id to) {
    position_ = to;
    if (read_) ++*read_;
  }
  /// Entries ever added up to the position, if known: what is missing is found by counting.
  std::optional<std::uint64_t> read() const { return read_; }

  /// Compares with what the server knows, before the next read. After `trimmed` and `reset` the position is behind it.
  finding look(const stream_facts& now);
  /// True once: the replay is over.
  bool has_caught_up();
  /// Entries there and not read, as far as known.
  std::uint64_t lag() const { return lag_; }

 private:
  finding start_again(const char* reason);

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
