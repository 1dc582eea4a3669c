#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/outbound_route.hpp>

#include <algorithm>
#include <vector>

#include <bus/names.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::redis {

bool outbound_route::may_take() {
  if (core_.commands().unsent() <= most_unsent) return true;
  once_sent_.plan(weak_from_this());
  return false;
}

bool outbound_route::pump_all() {
  std::vector<std::pair<std::shared_ptr<core::topic_core>, std::uint64_t>> ends;
  for (auto& each : core_.bus()->topics().all()) {
    if (matches(pattern_, each->name())) ends.emplace_back(each, each->log().end());
  }
  pump();
  return std::all_of(ends.begin(), ends.end(),
                     [this](const auto& each) { return from_.has_taken(each.first->name(), each.second); });
}

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

void outbound_route::disconnected(std::string_view topic) {
  core_.warn("disconnected", "events of '" + std::string(topic) +
                                 "' go out no more, and what waited is lost: the route '" + pattern_ +
                                 "' was full, and its overflow is `disconnect`");
}

}  // namespace actorbus::redis
