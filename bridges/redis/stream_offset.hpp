// Where an event lies in a stream: the id of its entry, and its place in it where the entry holds several.
//
// As text, in the header `redis.id`: `ms-seq`, and behind it `:place` for all but the first event of an entry.
// Threads: any; a value.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <bridges/redis/stream_id.hpp>

namespace actorbus::redis {

/// The header that carries it.
inline constexpr const char* id_header = "redis.id";

struct stream_offset {
  stream_id id = {};
  std::uint32_t place = 0;

  friend constexpr auto operator<=>(const stream_offset&, const stream_offset&) = default;

  static constexpr stream_offset max() noexcept {
    return {stream_id::max(), std::numeric_limits<std::uint32_t>::max()};
  }

  static std::optional<stream_offset> parse(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    const auto id = stream_id::parse(text.substr(0, colon));
    if (!id) return std::nullopt;
    stream_offset at{*id, 0};
    if (colon == text.npos) return at;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, at.place);
    return error == std::errc{} && stop == end ? std::optional(at) : std::nullopt;
  }

  /// `entry` is the id as text, which the server gave.
  static std::string text_of(std::string_view entry, std::uint32_t place) {
    std::string text(entry);
    if (place != 0) text.append(1, ':').append(std::to_string(place));
    return text;
  }
  std::string to_string() const { return text_of(id.to_string(), place); }
};

}  // namespace actorbus::redis
