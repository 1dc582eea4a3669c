// The options of topics, publishers, subscriptions, inboxes and the bus, each with its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include <bus/headers.hpp>
#include <bus/idle_strategy.hpp>
#include <bus/key_function.hpp>
#include <bus/metadata.hpp>
#include <bus/on_error.hpp>
#include <bus/overflow.hpp>
#include <bus/replay.hpp>
#include <bus/run_on.hpp>

namespace spdlog {
class logger;
}

namespace actorbus {

/// Keeps an event if true. Called before the payload is touched; counts as a handler (see DESIGN: exceptions, waiting).
using filter = std::function<bool(const metadata&)>;

/// Sees an event on its publisher's thread, before it is accepted: may add headers, or refuse it by returning an error,
/// which the publish call reports. The metadata's sequence and time are not known yet (0).
using interceptor = std::function<std::error_code(const metadata&, headers&)>;

struct topic_options {
  std::size_t capacity = 8192;  ///< events a subscriber may lag before its `overflow` acts; at least 1
  std::size_t history = 0;      ///< events kept for replay after everybody has read them
  std::size_t lane = 1024;      ///< events one publisher may have waiting; at least 1
  std::size_t spill = 65536;    ///< events handlers and publish_async may have waiting beyond their lanes, all together
  interceptor intercept = {};   ///< see interceptor

  /// Same numbers, and both or neither with an interceptor.
  friend bool operator==(const topic_options& a, const topic_options& b) {
    return a.capacity == b.capacity && a.history == b.history && a.lane == b.lane && a.spill == b.spill &&
           static_cast<bool>(a.intercept) == static_cast<bool>(b.intercept);
  }
};

struct publisher_options {
  std::uint64_t origin = 0;  ///< carried by every event; filters compare it. 0: this process
};

struct subscribe_options {
  replay from = replay::live();
  actorbus::overflow overflow = actorbus::overflow::block;
  std::size_t capacity = 0;  ///< events it may lag before `overflow` acts; 0: the topic's
  actorbus::run_on run_on = actorbus::run_on::pool;
  std::string group = {};  ///< members of one group share the events among them; empty: none
  filter where = {};
  actorbus::on_error on_error = actorbus::on_error::ignore();
  std::weak_ptr<void> owner = {};  ///< if ever set: locked around each call; no call once it expired
  key_function key = {};           ///< with a group: events with one key stay on one member, in order
  std::string name = {};           ///< for snapshots and logs
};

struct inbox_options {
  replay from = replay::live();
  actorbus::overflow overflow = actorbus::overflow::drop_oldest;
  std::size_t capacity = 0;  ///< as for a subscription
  filter where = {};
  std::string name = {};  ///< for snapshots and logs
};

struct bus_options {
  std::string name = "actorbus";
  std::size_t workers = 0;  ///< threads of the pool; 0: as many as the machine has processors
  idle_strategy idle = idle_strategy::park;
  std::chrono::nanoseconds close_within = std::chrono::seconds{5};  ///< what ~bus gives handlers to finish
  std::shared_ptr<spdlog::logger> logger = {};  ///< where the bus reports; empty: its own on stderr, named "actorbus"
  std::function<void()> on_thread_start = {};   ///< called first on each thread of the bus: name, priority, affinity
  std::size_t max_pending_requests = 65536;     ///< further ones fail with would_block
  std::chrono::nanoseconds reclaim_after = std::chrono::seconds{1};  ///< idle lanes, chunks and topics go after this
};

}  // namespace actorbus
