// MessagePack as far as Watermill's metadata needs it: one map from texts to texts.
//
// Written in the shortest form of each length. Read in any form of map and text, and binary as text; nil is no map, or
// an empty text, as for Watermill's reader. Anything else is a fault.
// Source: https://github.com/msgpack/msgpack/blob/master/spec.md. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

/// Appends a map of `headers` without the one named `except`.
void append_msgpack_map(const actorbus::headers& headers, std::string_view except, std::string& to);

/// Sets each pair of a map in `to`, at most max_headers.
fault read_msgpack_map(std::string_view from, actorbus::headers& to);

}  // namespace actorbus::redis
