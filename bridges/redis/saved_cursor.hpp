// The place in a stream that the key of stream_options::resume_as holds: `ms-seq[:place][ count]`.
//
// The id of the last entry whose events have all been handled, or id and place of the last event that has been; and how
// many entries were ever added up to there, that one not counted, where the server counts. Threads: any; a value.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <bridges/redis/stream_offset.hpp>

namespace actorbus::redis {

struct saved_cursor {
  stream_id behind;                          ///< entries up to here are not read again
  std::optional<stream_offset> within = {};  ///< of the entry that follows, the first event that is wanted
  std::optional<std::uint64_t> count = {};

  /// Empty: it is none. A count that is none is left out.
  static std::optional<saved_cursor> parse(std::string_view text) noexcept {
    const std::size_t space = text.find(' ');
    const std::string_view where = text.substr(0, space);
    const auto at = stream_offset::parse(where);
    if (!at || at->place == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    saved_cursor result{at->id};
    if (where.find(':') != where.npos) {
      result.behind = at->id.previous();
      result.within = {at->id, at->place + 1};
    }
    if (space == text.npos) return result;
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + space + 1, end, count);
    if (error == std::errc{} && stop == end) result.count = count;
    return result;
  }
};

}  // namespace actorbus::redis
