// What is known of an event beside its payload. What filters and observers see.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <bus/headers.hpp>

namespace actorbus {

/// Borrowed: valid during the call that receives it.
struct metadata {
  std::string_view topic;
  std::uint64_t
      sequence;  ///< its place in the topic's order, from 1; 0: older than this process (from a history source)
  std::chrono::system_clock::time_point time;  ///< when it was appended; never decreases along a topic
  const actorbus::headers& headers;
  std::uint64_t origin;           ///< what its publisher set; 0: none, published in this process
  std::uint64_t origin_sequence;  ///< its sequence there, 0 if none was given
};

}  // namespace actorbus
