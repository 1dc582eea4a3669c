// The plain entry of a stream: `data` with the payload, `channel` with the topic, and a stamp where there is something
// to tell. What native, litestar and raw have in common. Threads: any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

/// The three fields, in this order; in place of what is in `scratch` and `to`.
void write_data_entry(const outgoing& event, std::string& scratch, std::vector<field_view>& to);

enum class channel_field { ignored, is_topic };

/// Needs `data`, takes the first of fields that have the same name, ignores fields it does not know.
fault read_data_entry(std::span<const field_view> fields, channel_field channel, std::vector<incoming>& to);

}  // namespace actorbus::redis
