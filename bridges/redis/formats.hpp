// The formats, each in a source of its own; wire_format_of picks. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

const wire_format& native_format(payload_shape shape);
const wire_format& raw_format();
const wire_format& fields_format();
const wire_format& litestar_format();
const wire_format& packed_format();
const wire_format& watermill_format();

/// `prefix` and `pattern` as a pattern of the server: whatever stands for a token, or for several, is `*`.
std::string glob_of(std::string_view prefix, std::string_view pattern);

}  // namespace actorbus::redis
