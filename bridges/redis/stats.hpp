// What a bridge has done so far. Plain values.
#pragma once

#include <cstdint>

namespace actorbus::redis {

struct stats {
  std::uint64_t connections_made = 0, connections_lost = 0;
  std::uint64_t commands = 0;  ///< sent, those of connections' greetings included
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t in_flight = 0;        ///< events sent whose reply has not come
  std::uint64_t resent = 0;           ///< events sent again, because a reply never came or an error may pass
  std::uint64_t out = 0;              ///< events that the server has acknowledged
  std::uint64_t in = 0;               ///< events handed on to topics
  std::uint64_t dropped_out = 0;      ///< by a route's overflow, before they were sent; on a route both ways others'
                                      ///< events are among them, which would not have gone
  std::uint64_t dropped_in = 0;       ///< by a route's overflow, after they came
  std::uint64_t lost_out = 0;         ///< sent by PUBLISH on a connection that was lost before the reply
  std::uint64_t refused = 0;          ///< that the server or the format will never take
  std::uint64_t decode_failures = 0;  ///< entries and messages set aside
  std::uint64_t echoes = 0;           ///< our own, not brought back
  std::uint64_t topics_refused = 0;   ///< messages for topics beyond max_topics, of another type, with no valid name,
                                      ///< or that a stream brings in
  std::uint64_t gaps = 0;             ///< notices published: gap, trimmed, epoch_reset
  std::uint64_t waiting = 0;      ///< entries read, and events of messages, that their full topics have not taken yet
  std::uint64_t lag = 0;          ///< entries known to be in the streams and not yet read, by groups neither
  std::uint64_t pending = 0;      ///< entries that groups have delivered, to whomever, and that are not acknowledged;
                                  ///< as of the last look, a second ago at most, of groups consumed here
  std::uint64_t in_hand = 0;      ///< of those, held here
  std::uint64_t consumed = 0;     ///< entries of groups handled and acknowledged
  std::uint64_t redelivered = 0;  ///< entries delivered again: retried, found after a restart, or claimed
  std::uint64_t claimed = 0;      ///< of those, taken over from another consumer
  std::uint64_t handlers_failed = 0;        ///< entries of groups whose handler threw, each time
  std::uint64_t dead_letters = 0;           ///< entries put to the dead letters
  std::uint64_t in_use = 0, available = 0;  ///< connections of the pool for requests, now
};

}  // namespace actorbus::redis
