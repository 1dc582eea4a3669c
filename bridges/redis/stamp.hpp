// What one of our events carries beside its payload, as a line of text: origin, its sequence there, headers, content
// type. The value of the field `actorbus` of an entry, and the first line of an envelope.
//
//   1 <origin> <sequence>[+<step>] [<headers>|- [<content type>]]
//
// `1` is the version. The origin is up to 16 hexadecimal digits, the sequence decimal, both 0 if not known, the step
// decimal, left out if not known; headers are in form encoding, which has no space, or `-` for none; a content type
// runs to the end. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

/// The field of an entry that holds the stamp.
inline constexpr std::string_view stamp_field = "actorbus";

/// What a payload is unless told.
inline constexpr std::string_view default_content_type = "application/octet-stream";

/// Whether an event has anything to tell.
bool has_stamp(const outgoing& event) noexcept;

/// Appends the line, even if there is nothing to tell. Throws errc::invalid_argument for more than max_headers headers
/// and for a content type with control characters.
void append_stamp(const outgoing& event, std::string& to);

/// Sets origin, sequence, step, headers and content type of `event`.
fault read_stamp(std::string_view line, incoming& event);

}  // namespace actorbus::redis
