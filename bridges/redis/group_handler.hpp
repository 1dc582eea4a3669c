// The edge of a consumer where a payload's type ends: an event of a group's entry goes to a user's handler as a T.
//
// Behind it nothing of the consumer knows T. Threads: any, also several at once; then so is the user's handler.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <bridges/redis/route_type.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bridges/redis/stream_offset.hpp>
#include <bridges/redis/wire_format.hpp>
#include <bus/chunk.hpp>
#include <bus/handler_sink.hpp>
#include <bus/topic.hpp>

namespace actorbus::redis {

/// The header of an event that was delivered before: how often by now, this time included. Whether it was handled
/// before, nobody knows.
inline constexpr const char* deliveries_header = "redis.deliveries";

/// The bytes of an event are no T; what() says why.
struct undecodable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An entry as it was delivered, borrowed.
struct delivered_entry {
  stream_id id;
  std::string_view id_text;
  std::uint64_t deliveries;  ///< 2 and more: it may have been handled before
};

class group_handler {
 public:
  virtual ~group_handler() = default;
  /// Calls the user's handler with one event of an entry, unless it is another topic's, which shares the stream. Throws
  /// undecodable, or what the handler throws.
  virtual void handle(incoming& what, payload_shape shape, const delivered_entry& from) = 0;
  /// Tells it a notice, if it takes that kind. Throws what the handler throws.
  virtual void tell(const log_notice& what) = 0;
};

template <class T, class F>
class group_handler_of final : public group_handler {
 public:
  group_handler_of(std::string_view topic, F handler)
      : topic_(std::make_shared<core::topic_identity>(std::string(topic), core::kind_of<T>().payload)),
        handler_(std::move(handler)) {}

  void handle(incoming& what, payload_shape shape, const delivered_entry& from) override {
    if (!what.topic.empty() && what.topic != topic_->name) return;
    if constexpr (std::is_invocable_v<F&, const event<T>&>) {
      headers with = std::move(what.headers);
      with.set("redis.id", stream_offset::text_of(from.id_text, what.place));
      if (from.deliveries > 1) with.set(deliveries_header, std::to_string(from.deliveries));
      std::vector<past_event<T>> past;
      past.push_back({decode(what, shape), std::move(with), from.id.time(), what.origin == 0 ? 1 : what.origin,
                      what.origin_sequence});
      std::vector<event<T>> one;
      core::history_source_of<T>::events_of(topic_, std::move(past), one);
      handler_(std::as_const(one.front()));
    } else {
      const T value = decode(what, shape);
      handler_(value);
    }
  }
  void tell(const log_notice& what) override {
    std::visit(
        [this](auto told) {
          told.topic = topic_->name;
          if constexpr (core::takes_notice<F, decltype(told)>) handler_(std::as_const(told));
        },
        what);
  }

 private:
  static T decode(const incoming& what, payload_shape shape) {
    try {
      return decode_payload<T>(what, shape);
    } catch (const std::exception& error) {
      throw undecodable(error.what());
    }
  }

  const std::shared_ptr<core::topic_identity> topic_;
  F handler_;
};

}  // namespace actorbus::redis
