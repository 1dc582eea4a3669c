// Many events as one run of bytes, for the format packed. Numbers are LEB128 (7 bits a byte, the lowest first, the top
// bit set in all but the last) save origins, which are 8 bytes, the lowest first.
//
//   FF 61 62 70               packed, version 1
//   events                    how many follow, 1 to 65,536
//   size, content type        of all of them; 0: not told
//   origin, sequence, step    of the first event; 0: not told
//   each event:
//     4 * size + 2 * a + b    size of its payload; a: it has an origin and a sequence of its own; b: it has headers
//     [origin, sequence]      else the origin above, and one more than the last event that had that
//     [headers, each: size, name, size, text]
//     payload
//
// Threads: any.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

inline constexpr std::size_t max_packed_events = 65'536;

/// In place of what is in `to`. Throws errc::invalid_argument for no events, more than max_packed_events, or an event
/// with more than max_headers.
void write_packed(std::span<const outgoing> events, std::string& to);

/// `from` begins with packed_magic. Appends nothing if there is a fault.
fault read_packed(std::string_view from, std::vector<incoming>& to);

/// How many events it says it holds, 0 if it cannot.
std::size_t count_packed(std::string_view from) noexcept;

}  // namespace actorbus::redis
