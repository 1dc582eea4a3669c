// How far a group is in its stream, without any I/O: told what the server knows of both, it finds what was taken away
// before anybody had read it.
//
// The server counts what a group has read. It does not count what was trimmed before that, so that behind the newest
// entry the two differ by what was lost; newer servers (from 7.4.3 on) correct their count as soon as the group reads
// on, and then a loss is found only if it is looked for before. Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <bridges/redis/stream_cursor.hpp>

namespace actorbus::redis {

/// What XINFO GROUPS says of one group.
struct group_facts {
  stream_id delivered = {};                ///< the newest entry that was delivered to anybody
  std::optional<std::uint64_t> read = {};  ///< entries ever delivered, and those added before the group was made
  std::optional<std::uint64_t> lag = {};   ///< entries behind that, if the server can tell

  static std::optional<group_facts> of(const reply& groups, std::string_view name);
};

class group_progress {
 public:
  using finding = stream_cursor::finding;

  /// An entry was delivered here, for the first time.
  void delivered(stream_id id);
  /// Compares with what the server knew at one moment, later than that of the last call.
  finding look(const stream_facts& now, const group_facts& group);
  /// The group is not there, and is made again behind `place` unless it is the stream that is gone, or another; then
  /// all begins anew.
  finding regroup(const stream_facts& now, stream_id place = {});

  bool has_looked() const { return has_looked_; }
  /// The newest entry delivered to anybody, when it was last looked at.
  stream_id delivered_to() const { return delivered_to_; }
  /// Entries there and not delivered to anybody, when it was last looked at; where the server cannot tell, at most so
  /// many.
  std::uint64_t lag() const { return lag_; }

 private:
  std::optional<std::uint64_t> lost(const stream_facts& now, const group_facts& group) const;
  void count_lag(const stream_facts& now, const group_facts& group);
  bool is_another(const stream_facts& now) const;
  bool may_have_lost(const stream_facts& now, stream_id place) const;
  finding start_again(const char* reason);

  bool has_looked_ = false;
  stream_id delivered_to_ = {};
  // As of the last look.
  stream_id newest_ = {};
  std::uint64_t added_ = 0;
  std::uint64_t lag_ = 0;
  std::uint64_t passed_ = 0;  ///< entries ever added that are surely not behind the group
  // As of the last one that could tell.
  stream_id known_to_ = {};            ///< where the group was; before any, where it was when it was first looked at
  std::uint64_t gone_ = 0;             ///< entries, read or not
  std::optional<std::uint64_t> told_;  ///< entries lost until then, as the server counts
  // Since then.
  stream_id newest_here_ = {};
  std::uint64_t added_here_ = 0;  ///< at least so many
};

}  // namespace actorbus::redis
