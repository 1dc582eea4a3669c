// What a route that brings events in is, whatever brings them: which topics it covers, and how many it may make.
//
// Threads: the loop's, except for the making.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/route.hpp>
#include <bridges/redis/route_type.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

class inbound_route : public route {
 protected:
  inbound_route(bridge_core& of, std::string_view pattern, const wire_format& as, const route_type& type,
                std::size_t max_topics)
      : core_(of), pattern_(pattern), as_(as), type_(type), is_literal_(is_literal(pattern)), max_topics_(max_topics) {}

  /// `topic` may be anything that came from outside.
  bool covers(std::string_view topic) const { return is_topic_name(topic) && matches(pattern_, topic); }
  /// A remote name makes one topic more than `open`.
  bool admits(std::string_view topic, std::size_t open) {
    if (open < max_topics_) return true;
    core_.warn("too many topics",
               "route '" + pattern_ + "' has max_topics topics already: '" + std::string(topic) + "' gets no events");
    return false;
  }

  bridge_core& core_;
  const std::string pattern_;
  const wire_format& as_;
  const route_type& type_;
  const bool is_literal_;
  const std::size_t max_topics_;
};

}  // namespace actorbus::redis
