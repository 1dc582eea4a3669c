// One route's part on the loop, as the bridge sees it.
//
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <bridges/redis/own_entries.hpp>
#include <bridges/redis/stats.hpp>
#include <bridges/redis/stream_offset.hpp>

namespace actorbus::redis {

class route {
 public:
  virtual ~route() = default;
  virtual void start() = 0;
  /// For good: no further event goes either way.
  virtual void stop() = 0;
  /// The bridge is about to close: begin with nothing new. `is_flushed` tells when it may.
  virtual void finish() {}
  /// The connection for commands stands.
  virtual void on_commands() {}
  /// Everything that waits has gone out and is acknowledged.
  virtual bool is_flushed() { return true; }
  virtual void add_to(stats& /*sum*/) const {}

  // For what is read back of a topic's stream, see stream_history.hpp.

  /// What was published on the topic before `until` has gone out, as far as it ever will, and it is known where the
  /// stream's reading began.
  virtual bool is_settled(std::string_view /*topic*/, std::uint64_t /*until*/) { return true; }
  /// The first event of the stream that is not yet in the topic's log, if this route reads the stream into it.
  virtual std::optional<stream_offset> next_of(std::string_view /*topic*/) { return std::nullopt; }
  /// What it has added to the topic's stream and the server has acknowledged, if entries do not tell their origin.
  virtual const own_entries* own_of(std::string_view /*topic*/) { return nullptr; }
};

}  // namespace actorbus::redis
