// One topic that events from outside are published on: what is decoded, what waits while the topic is full, what is
// told.
//
// Threads: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/route_type.hpp>
#include <bridges/redis/stream_offset.hpp>

namespace actorbus::redis {

/// The entry of a stream that an event is of.
struct entry_name {
  std::string_view text;  ///< the id, as the server gave it
  stream_id id;
  std::optional<std::uint64_t> before;  ///< entries ever added before it, if known
};

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
  /// `of`: null for an event of a message.
  outcome offer(incoming& what, payload_shape shape, const entry_name* of = nullptr);
  /// Publishes the event that the topic had no room for, if there is one.
  outcome retry();
  outcome tell(const log_notice& what);
  /// It was full at the last offer.
  bool is_full() const { return full_; }
  /// Nothing of it is on its way to the topic's log.
  bool has_all_appended() const { return port_->pending() == 0; }
  std::function<bool()> asks_whether_handled() const { return port_->asks_whether_handled(); }
  struct offered {
    stream_offset at;
    std::optional<std::uint64_t> before;  ///< as told with its entry
  };
  /// The first event of a stream that was offered, and taken or held, and is not in the topic's log yet.
  std::optional<offered> first_pending();

 private:
  outcome settle(std::error_code why);
  void remember(offered what);
  void forget_appended();

  bridge_core& core_;
  const std::string name_;
  const route_type& type_;
  std::unique_ptr<in_port> port_;
  bool full_ = false;
  /// What may not be in the log yet, of streams; a notice has the id 0.
  std::deque<offered> offered_;
  std::size_t forget_at_ = 0;
};

}  // namespace actorbus::redis
