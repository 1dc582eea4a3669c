// How a bridge's connections stand, as bridge::on_state tells it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace actorbus::redis {

enum class phase : std::uint8_t {
  connecting,  ///< an attempt begins
  ready,       ///< every connection the bridge needs is up, and the server has answered for its subscriptions:
               ///< confirmed, or refused for good, which is counted in stats::refused and said in the log. One that
               ///< rests (bridge_options::idle_timeout) is as good as up; when it is needed, `connecting` follows
  lost,        ///< one of them is gone, or could not be made; another attempt follows by itself
  closed,      ///< for good
};

std::string_view to_string(phase which) noexcept;

struct state {
  redis::phase phase = redis::phase::connecting;
  std::string reason = {};       ///< of `lost`; without secrets
  std::uint64_t connection = 0;  ///< the number of the connection concerned: they are counted through a bridge's life
};

}  // namespace actorbus::redis
