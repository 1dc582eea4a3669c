// The options of a bridge and of its routes, each with its default.
//
// A route has no option for its codec: how a T becomes bytes is its type's matter, codec<T> (bus/codec.hpp). Two ways
// for one payload are two types.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <bridges/redis/direction.hpp>
#include <bridges/redis/format.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bus/overflow.hpp>
#include <bus/replay.hpp>
#include <bus/run_on.hpp>

namespace actorbus::redis {

struct bridge_options {
  std::string uri = "redis://127.0.0.1:6379/0";  ///< see uri.hpp
  std::string prefix = {};                       ///< of every key and channel
  std::string client_name = "actorbus";          ///< as CLIENT LIST shows the connections
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{5};
  std::chrono::nanoseconds command_timeout = std::chrono::seconds{5};  ///< replies are awaited, and none comes: lost
  std::chrono::nanoseconds health_check = std::chrono::seconds{15};    ///< silence before a PING; 0: never
  std::chrono::nanoseconds idle_timeout{0};  ///< the connection for commands rests after so long without one, which is
                                             ///< no loss: the next command makes it anew; 0: never
  std::chrono::nanoseconds retry_first = std::chrono::milliseconds{50};  ///< the first wait before a reconnect
  std::chrono::nanoseconds retry_most = std::chrono::seconds{5};         ///< it doubles up to this
  std::size_t max_in_flight = 8192;  ///< events a route may have sent without a reply; at least 1
  std::chrono::nanoseconds close_within = std::chrono::seconds{2};  ///< what ~bridge gives what waits to go out
  std::size_t pool = 4;  ///< connections at most for requests: history, flush_all, WAIT; made when needed; at least 1
};

struct pubsub_options {
  redis::direction direction = redis::direction::both;
  redis::format format = redis::format::native;
  actorbus::overflow overflow = actorbus::overflow::drop_oldest;  ///< of what waits, either way; see bridge::pubsub
  std::size_t capacity = 0;       ///< events that may wait, either way; 0: the topic's going out, 8,192 coming in
  std::size_t max_topics = 1024;  ///< topics a pattern may make here for remote names
};

struct stream_options {
  std::uint64_t maxlen = 0;          ///< events kept, no fewer; 0: all. Where packed, see bridge::stream
  std::chrono::milliseconds ttl{0};  ///< the stream expires so long after the last event; 0: never
  replay from = replay::live();      ///< where reading begins: live, last (events), all or since
  redis::direction direction = redis::direction::both;
  redis::format format = redis::format::native;                   ///< litestar comes in by routes for one topic each
  actorbus::overflow overflow = actorbus::overflow::drop_oldest;  ///< of what waits to go out
  std::size_t capacity = 0;                                       ///< events that may wait to go out; 0: the topic's
  std::size_t max_topics = 1024;                                  ///< topics a pattern may make here for remote names
  bool exact = false;                    ///< `maxlen` and `max_age` to the entry, not to the server's convenience
  std::chrono::milliseconds max_age{0};  ///< entries older than this are trimmed (MINID); 0: none. Not with `maxlen`
  bool deduplicate = false;             ///< a re-send never doubles or reorders, by a script on the server. Without it,
                                        ///< an error in the middle of a pipeline may change the order.
                                        ///< With it, who deletes everything deletes what the script knows: what was
                                        ///< on its way then may come again, behind the `epoch_reset`
  std::string resume_as = {};           ///< keeps the cursor in Redis under this name, behind what the topic's
                                        ///< subscriptions have handled; empty: it ends with the bridge
  std::optional<stream_id> after = {};  ///< reading begins behind this entry, instead of `from`
};

/// How a consumer takes its share of a group. What is out of range is errc::invalid_argument, which names the option.
struct consume_options {
  std::string group = {};            ///< needed: those who share the events
  std::string consumer = {};         ///< one process's own; a name that comes back gets what it left pending.
                                     ///< Empty: a new one
  std::size_t max_in_flight = 64;    ///< entries held and not yet acknowledged; at least 1
  std::size_t concurrency = 1;       ///< calls of the handler at once, 1 to 1,024
  std::uint64_t max_deliveries = 5;  ///< by the server's count; then a dead letter; at least 1
  std::chrono::nanoseconds claim_after = std::chrono::seconds{30};  ///< of silence, another's entries are taken over;
                                                                    ///< 10 ms to a year, the same in all of a group
  std::string dead_letter = {};                  ///< a topic, whose stream they go to; empty: the topic's with `.dead`
  std::optional<redis::format> format = {};      ///< empty: that of the stream route for the topic, else native
  replay from = replay::all();                   ///< where a new group begins: all, live or since
  actorbus::run_on run_on = run_on::own_thread;  ///< own_thread: one for each call at once; pool: for short handlers
  std::chrono::nanoseconds retry_first = std::chrono::milliseconds{100};  ///< the wait before the second delivery
  std::chrono::nanoseconds retry_most = std::chrono::seconds{30};         ///< it doubles up to this, a year at most
  std::chrono::nanoseconds forget_after = std::chrono::hours{1};  ///< consumers of the group that were silent for so
                                                                  ///< long and have nothing pending are deleted;
                                                                  ///< 10 ms to a year; 0: never
};

/// How publish_confirmed asks.
struct confirm_options {
  std::chrono::nanoseconds within = std::chrono::seconds{30};  ///< errc::timeout after that
  std::size_t replicas = 0;                                    ///< WAIT for so many, too
};

}  // namespace actorbus::redis
