// A bridge: mirrors chosen topics of a bus onto Redis, so that the same subscribe also reaches other processes.
//
// Threads: every call from any thread; creating and destroying is its owner's. One thread of its own does all I/O;
// codecs are called there. Ownership: it may outlive its bus, or go before it. Its destructor gives what waits to go
// out bridge_options::close_within, in a handler no time.
// When full: a publisher never waits for Redis unless its route says overflow::block; see pubsub and stream.
// When closed: routing is errc::closed. A closing bus flushes its bridges.
// No echo: only what is published in this process goes out, so nothing that came in by any bridge is sent on, and what
// this bridge sent is not brought back.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <bridges/redis/direction.hpp>
#include <bridges/redis/format.hpp>
#include <bridges/redis/options.hpp>
#include <bridges/redis/route_type.hpp>
#include <bridges/redis/state.hpp>
#include <bridges/redis/stats.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bus/bus.hpp>
#include <bus/codec.hpp>

namespace actorbus::redis {

class bridge_core;

class bridge {
 public:
  /// Connects in the background, for ever. Throws errc::invalid_argument for a URI or an option that is none,
  /// errc::unsupported for rediss:// without TLS in this build, errc::closed.
  explicit bridge(actorbus::bus& on, bridge_options options = {});
  bridge(bridge&&) noexcept;
  bridge& operator=(bridge&&) noexcept;
  ~bridge();

  /// Carries a topic, or every topic of T that a pattern covers, by PUBLISH and SUBSCRIBE: at most once, no history.
  /// Going out, `overflow` and `capacity` are those of the topic's log, which is the outbox while Redis is away. Coming
  /// in, the socket is always drained; what a full topic cannot take waits here, up to `capacity`, then the oldest goes
  /// (`latest`: all but the newest), which is counted and told by a `gap`. Nobody can be made to wait there, so `block`
  /// and `disconnect` act as drop_oldest. After a lost connection subscribers are told a `gap`.
  /// A topic that a stream route covers is carried by that route alone.
  /// Throws errc::invalid_pattern, type_mismatch, errc::invalid_argument for an overlap with another pub/sub route or a
  /// format without messages, closed.
  template <class T>
  void pubsub(std::string_view pattern, const pubsub_options& options = {}) {
    add_pubsub(pattern, route_type_of<T>(), options);
  }

  /// Ends the routes of exactly this pattern; what waits there is not sent. False: there is none.
  bool unroute(std::string_view pattern);

  /// Calls `callback` with the present state, if there is one yet, and with each change: on the pool, as a handler.
  void on_state(std::function<void(const state&)> callback);
  /// Waits until every connection is up and every subscription confirmed. False: not within that time.
  /// Throws in_handler inside a handler.
  bool wait_ready(std::chrono::nanoseconds within);

  redis::stats stats() const;

  /// Waits until everything published before this call was sent and acknowledged. False: not within that time.
  /// Throws in_handler inside a handler.
  bool flush(std::chrono::nanoseconds within);

  /// Flushes, then ends every route and connection; returns by the deadline. Idempotent.
  void close(std::chrono::nanoseconds within);

  /// What this bridge's events carry as their origin: no other process's.
  std::uint64_t origin() const;

 private:
  void add_pubsub(std::string_view pattern, const route_type& type, const pubsub_options& options);

  std::shared_ptr<bridge_core> core_;
  closing_hook closing_;
};

}  // namespace actorbus::redis
