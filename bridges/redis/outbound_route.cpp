#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/outbound_route.hpp>

namespace actorbus::redis {

void outbound_route::not_encodable(std::string_view topic, std::size_t events, const char* why) {
  core_.counts.refused += events;
  const std::string which = events == 1 ? "an event of '" : std::to_string(events) + " events of '";
  core_.warn("not encodable", which + std::string(topic) + "' cannot go out: " + why);
}

void outbound_route::dropped(const lagged& what) {
  core_.counts.dropped_out += what.count;
  core_.warn("dropped", std::to_string(what.count) + " events of '" + std::string(what.topic) +
                            "' were dropped before they could go out");
}

}  // namespace actorbus::redis
