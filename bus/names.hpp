// Topic names and patterns: what is valid, and which pattern covers which topic.
//
// A topic name is dot-separated non-empty tokens, 1 to 255 bytes together, with no space, no control character, no `*`
// and no `>`; bytes above 0x7f are allowed. In a pattern a token may also be `*`, exactly one token, and the last one
// `>`, one or more tokens. A topic name is a pattern that covers itself only.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace actorbus {

/// The longest topic name or pattern, in bytes.
inline constexpr std::size_t max_name_bytes = 255;

bool is_topic_name(std::string_view name) noexcept;

bool is_pattern(std::string_view pattern) noexcept;

/// Whether `name` holds no wildcard character; says nothing about its validity.
bool is_literal(std::string_view name) noexcept;

/// Throws errc::invalid_topic, telling what is wrong and what would be right, unless `name` is a topic name.
void require_topic_name(std::string_view name);

/// Throws unless `pattern` is a pattern: errc::invalid_pattern if it holds a wildcard, errc::invalid_topic if it is a
/// literal and therefore a mere topic name.
void require_pattern(std::string_view pattern);

/// Whether `pattern` covers `topic`. Both are valid; otherwise the result means nothing.
bool matches(std::string_view pattern, std::string_view topic) noexcept;

namespace core {

/// Cuts the first token and its dot off `rest`, which is empty after the last token of a valid name.
std::string_view take_token(std::string_view& rest) noexcept;

/// `text` in quotes for a message: control characters escaped, shortened to about 64 bytes.
std::string quoted(std::string_view text);

}  // namespace core

}  // namespace actorbus
