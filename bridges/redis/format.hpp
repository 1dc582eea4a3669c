// How events are laid out on Redis. FORMAT.md tells each byte for byte.
#pragma once

#include <cstdint>
#include <string_view>

namespace actorbus::redis {

enum class format : std::uint8_t {
  native,     ///< what a bare PUBLISH or XADD writes is an event; ours carry origin, sequence, headers and content type
  raw,        ///< the payload and nothing else
  fields,     ///< a std::map<std::string, std::string> as the flat fields of a stream's entry, and nothing else
  litestar,   ///< as the channels backends of Litestar, a Python framework
  packed,     ///< many events in one entry or message, for high rates
  watermill,  ///< as the streams of Watermill, a Go library; streams only
};

/// The name of the enumerator.
std::string_view to_string(format which) noexcept;

}  // namespace actorbus::redis
