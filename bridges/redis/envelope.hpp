// What a message begins with that is more than a bare payload: three bytes that no text in UTF-8 begins with, and one
// that tells what follows.
//
//   FF 61 62 '1' ...    an envelope: a stamp, a line feed, the payload
//   FF 61 62 'p' ...    packed events
//
// Anything else is a bare payload. Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

inline constexpr std::string_view envelope_magic =
    "\xff"
    "ab";
inline constexpr std::string_view packed_magic =
    "\xff"
    "abp";

/// The bare payload itself if there is nothing to tell and it cannot be mistaken, else an envelope in `scratch`.
std::string_view write_envelope(const outgoing& event, std::string& scratch);

/// Of an envelope or a bare payload.
fault read_envelope(std::string_view message, std::vector<incoming>& to);

}  // namespace actorbus::redis
