// The edges of a route where a payload's type ends: events of a T go out as payloads, payloads come in as events of T.
//
// Behind them nothing of the bridge knows T. Threads: the bridge's loop, except for the making.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include <bridges/redis/past_entries.hpp>
#include <bridges/redis/wire_format.hpp>
#include <bus/bus_core.hpp>
#include <bus/codec.hpp>
#include <bus/errors.hpp>
#include <bus/history_hook.hpp>
#include <bus/history_source.hpp>
#include <bus/inbox.hpp>
#include <bus/topic.hpp>

namespace actorbus::redis {

/// Takes what a route reads from its topics.
class out_reader {
 public:
  virtual ~out_reader() = default;
  /// Everything is borrowed for the call. It has no origin yet.
  virtual void event(const metadata& about, const outgoing& what) = 0;
  /// A codec threw.
  virtual void unencodable(const metadata& about, const char* why) = 0;
  virtual void dropped(const lagged& what) = 0;
  /// Of events that overflowed, and of all that come after.
  virtual void disconnected(std::string_view topic) = 0;
};

/// An inbox without its type.
class out_port {
 public:
  virtual ~out_port() = default;
  virtual std::size_t poll(out_reader& to, std::size_t most) = 0;
  virtual int readable_fd() = 0;
  virtual bool closed() const = 0;
  virtual bool has_read(std::string_view topic, std::uint64_t sequence) const = 0;
  virtual void close() = 0;
};

/// A publisher without its type. `accept` decodes first: decode_failed says that the payload is no T. would_block: the
/// topic is full, and the event is held; `retry` until it is taken.
class in_port {
 public:
  virtual ~in_port() = default;
  virtual std::error_code accept(const incoming& what, payload_shape shape, std::uint64_t origin, headers with) = 0;
  virtual std::error_code retry() = 0;
  virtual std::error_code notice(const log_notice& what) = 0;
  /// Of what it accepted or holds, how much is not in the topic's log yet.
  virtual std::size_t pending() const = 0;
  /// Asks whether what the topic's log has by now was handled here by everybody.
  virtual std::function<bool()> asks_whether_handled() const = 0;
};

/// What a route needs of T.
struct route_type {
  /// Older events of the topics come from there.
  history_hook (*add_history)(const std::shared_ptr<core::bus_core>& bus, std::string_view pattern,
                              const wire_format& as, past_fetcher from);
  payload_shape shape;
  std::unique_ptr<out_port> (*open_out)(const std::shared_ptr<core::bus_core>& bus, std::string_view pattern,
                                        inbox_options options, payload_shape shape);
  /// Throws what bus::topic throws.
  std::unique_ptr<in_port> (*open_in)(const std::shared_ptr<core::bus_core>& bus, std::string_view topic);
  std::type_index payload;
};

template <class T>
actorbus::topic<T> open_topic_of(const std::shared_ptr<core::bus_core>& bus, std::string_view name) {
  auto found = core::open_topic(bus, name, core::kind_of<T>(), nullptr);
  return actorbus::topic<T>(std::static_pointer_cast<core::topic_of<T>>(std::move(found)));
}

/// Throws what bus::topic throws, and errc::finished or closed if the topic takes nothing any more.
template <class T>
publisher<T> open_publisher_of(const std::shared_ptr<core::bus_core>& bus, std::string_view name,
                               std::uint64_t origin) {
  const auto found = open_topic_of<T>(bus, name);
  if (const auto why = found.core()->refusal(false)) throw bus_error(why, "publish on '" + std::string(name) + "'");
  return found.publisher({.origin = origin});
}

/// Throws errc::decode_failed, whatever the codec throws.
template <class T>
T decode_payload(const incoming& what, payload_shape shape) {
  try {
    if constexpr (has_field_codec<T>) {
      if (shape == payload_shape::fields) return codec<T>::decode_fields(what.fields);
    }
    return codec<T>::decode(what.payload);
  } catch (const bus_error&) {
    throw;
  } catch (const std::exception& error) {
    throw bus_error(errc::decode_failed, error.what());
  } catch (...) {
    throw bus_error(errc::decode_failed, "the codec threw something that is no std::exception");
  }
}

template <class T>
class out_port_of final : public out_port {
 public:
  out_port_of(inbox<T> from, payload_shape shape) : from_(std::move(from)), shape_(shape) {}

  std::size_t poll(out_reader& to, std::size_t most) override {
    return from_.poll(overloaded{[&](const event<T>& e) { pass(e, to); }, [&](const lagged& l) { to.dropped(l); },
                                 [&](const finished& f) {
                                   if (f.reason == finish_reason::disconnected) to.disconnected(f.topic);
                                 }},
                      most);
  }
  int readable_fd() override { return from_.readable_fd(); }
  bool closed() const override { return from_.closed(); }
  bool has_read(std::string_view topic, std::uint64_t sequence) const override {
    return from_.has_read(topic, sequence);
  }
  void close() override { from_.close(); }

 private:
  void pass(const event<T>& e, out_reader& to) {
    const metadata about = e.metadata();
    outgoing what{.topic = about.topic, .headers = &about.headers, .content_type = codec<T>::content_type};
    try {
      if constexpr (has_field_codec<T>) {
        if (shape_ == payload_shape::fields) {
          fields_.clear();
          codec<T>::encode_fields(*e, fields_);
          what.fields = fields_;
          return to.event(about, what);
        }
      }
      if constexpr (std::is_same_v<T, std::string>) {
        what.payload = *e;
      } else {
        scratch_.clear();
        codec<T>::encode(*e, scratch_);
        what.payload = scratch_;
      }
      to.event(about, what);
    } catch (const std::exception& error) {
      to.unencodable(about, error.what());
    } catch (...) {
      to.unencodable(about, "an exception that is no std::exception");
    }
  }

  inbox<T> from_;
  const payload_shape shape_;
  std::string scratch_;
  std::vector<field_view> fields_;
};

template <class T>
class in_port_of final : public in_port {
  /// How long an event waits for room, as any publisher's does: its topic, if it is not held up by a subscriber, makes
  /// some at once. Of one that is, only the first event that finds it full waits.
  static constexpr std::chrono::microseconds moment{50};

 public:
  explicit in_port_of(const actorbus::topic<T>& to) : to_(to.publisher()) {}

  std::error_code accept(const incoming& what, payload_shape shape, std::uint64_t origin, headers with) override {
    try {
      T value = decode_payload<T>(what, shape);
      const event_origin from{origin, what.origin_sequence};
      const auto why = to_.publish_from_for(std::move(value), from, moment, std::move(with));
      if (why != errc::timeout) return why;
      held_.emplace(held{std::move(value), from, std::move(with)});
      return make_error_code(errc::would_block);
    } catch (const std::system_error& error) {
      return error.code();
    } catch (const std::exception&) {
      return errc::decode_failed;
    }
  }
  std::error_code retry() override {
    if (!held_) return {};
    const auto why = to_.try_publish_from(std::move(held_->value), held_->from, std::move(held_->with));
    if (why != errc::would_block) held_.reset();
    return why;
  }
  std::error_code notice(const log_notice& what) override { return to_.try_publish_notice(what); }
  std::size_t pending() const override { return to_.unappended() + (held_ ? 1 : 0); }
  std::function<bool()> asks_whether_handled() const override { return to_.asks_whether_handled(); }

 private:
  struct held {
    T value;
    event_origin from;
    headers with;
  };
  publisher<T> to_;
  std::optional<held> held_;
};

template <class T>
class stream_history_source final : public history_source<T> {
 public:
  stream_history_source(const wire_format& as, past_fetcher from) : as_(as), from_(std::move(from)) {}

  void fetch(const history_request& request, std::function<void(std::vector<past_event<T>>)> done) override {
    const std::size_t limit = request.from.kind() == replay_kind::last
                                  ? request.from.count() - std::min<std::size_t>(request.from.count(), request.have)
                                  : std::numeric_limits<std::size_t>::max();
    const auto decode = [&as = as_](const incoming& each) { return decode_payload<T>(each, as.entry_shape()); };
    from_(request, [&as = as_, limit, decode, done = std::move(done)](const std::vector<past_entry>& entries,
                                                                      const takeover& line) {
      done(past_events<T>(entries, as, limit, decode, line));
    });
  }

 private:
  const wire_format& as_;
  const past_fetcher from_;
};

/// Past events as events of a topic, which they outlive.
template <class T>
std::vector<event<T>> as_events(const actorbus::topic<T>& topic, std::vector<past_event<T>> past) {
  std::vector<event<T>> result;
  core::history_source_of<T>::events_of(topic.core()->identity(), std::move(past), result);
  return result;
}

template <class T>
const route_type& route_type_of() {
  require_codec<T>();
  static const route_type type{
      [](const std::shared_ptr<core::bus_core>& bus, std::string_view pattern, const wire_format& as,
         past_fetcher from) {
        return core::add_history_source<T>(bus, pattern,
                                           std::make_shared<stream_history_source<T>>(as, std::move(from)));
      },
      shape_of<T>,
      [](const std::shared_ptr<core::bus_core>& bus, std::string_view pattern, inbox_options options,
         payload_shape shape) -> std::unique_ptr<out_port> {
        return std::make_unique<out_port_of<T>>(
            inbox<T>(core::open_inbox(bus, pattern, core::kind_of<T>(), std::move(options))), shape);
      },
      [](const std::shared_ptr<core::bus_core>& bus, std::string_view topic) -> std::unique_ptr<in_port> {
        return std::make_unique<in_port_of<T>>(open_topic_of<T>(bus, topic));
      },
      typeid(T)};
  return type;
}

}  // namespace actorbus::redis
