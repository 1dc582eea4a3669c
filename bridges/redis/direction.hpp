// Which way a route carries events.
#pragma once

#include <cstdint>

namespace actorbus::redis {

enum class direction : std::uint8_t {
  out,   ///< what is published in this process goes to Redis
  in,    ///< what others write to Redis is published in this process
  both,  ///< both; what this process sent does not come back
};

constexpr bool goes_out(direction d) noexcept { return d != direction::in; }
constexpr bool comes_in(direction d) noexcept { return d != direction::out; }

}  // namespace actorbus::redis
