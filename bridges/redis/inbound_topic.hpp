// One topic that events from outside are published on: what is decoded, what waits while the topic is full, what is
// told.
//
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/route_type.hpp>

namespace actorbus::redis {

/// What an event from outside without an origin has instead: it came from outside, and from whom is not known.
inline constexpr std::uint64_t foreign_origin = 1;

/// The header that carries the id of a stream's entry.
inline constexpr const char* id_header = "redis.id";

class inbound_topic {
 public:
  enum class outcome : std::uint8_t {
    done,  ///< published, or for good set aside and counted
    full,  ///< the topic has no room: `retry` later, and offer nothing before
    over,  ///< the topic or the bus is closed
  };

  inbound_topic(bridge_core& of, std::string name, const route_type& type);

  /// Throws what bus::topic throws.
  void open();
  const std::string& name() const { return name_; }
  /// `id`: of the entry, empty for a message.
  outcome offer(incoming& what, payload_shape shape, std::string_view id);
  /// Publishes the event that the topic had no room for, if there is one.
  outcome retry();
  outcome tell(const log_notice& what);
  /// It was full at the last offer.
  bool is_full() const { return full_; }

 private:
  outcome settle(std::error_code why);

  bridge_core& core_;
  const std::string name_;
  const route_type& type_;
  std::unique_ptr<in_port> port_;
  bool full_ = false;
};

}  // namespace actorbus::redis
