// The id of a stream's entry: milliseconds since 1970 by the server's clock, and a sequence within them.
//
// Threads: any.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace actorbus::redis {

struct stream_id {
  std::uint64_t milliseconds = 0;
  std::uint64_t sequence = 0;

  friend constexpr auto operator<=>(const stream_id&, const stream_id&) = default;

  /// `ms-seq`, or `ms` alone with the sequence 0; decimal digits only. Empty if it is neither.
  static std::optional<stream_id> parse(std::string_view text) noexcept;

  /// Before every entry of that time. Times before 1970 are 0.
  static stream_id at(std::chrono::system_clock::time_point time) noexcept;

  static constexpr stream_id min() noexcept { return {}; }
  static constexpr stream_id max() noexcept {
    return {std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};
  }

  /// The smallest id after this one. The largest is its own.
  constexpr stream_id next() const noexcept {
    if (sequence != max().sequence) return {milliseconds, sequence + 1};
    return milliseconds != max().milliseconds ? stream_id{milliseconds + 1, 0} : *this;
  }
  /// The largest id before this one. The smallest is its own.
  constexpr stream_id previous() const noexcept {
    if (sequence != 0) return {milliseconds, sequence - 1};
    return milliseconds != 0 ? stream_id{milliseconds - 1, max().sequence} : *this;
  }

  /// When the server added the entry, if it chose the id. What the clock cannot hold is the clock's last time.
  std::chrono::system_clock::time_point time() const noexcept;

  /// Appends `ms-seq`.
  void append_to(std::string& text) const;
  std::string to_string() const;
};

}  // namespace actorbus::redis
