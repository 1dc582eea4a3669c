// Confirmations that want replicas, too: WAIT, on connections of the pool, so that nothing that goes out waits with it.
//
// WAIT asks for all that the server had done when it carried out the connection's last command: a PING before it makes
// that a moment behind the acknowledgement. What comes while no connection is free goes together. Threads: the loop's.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include <bridges/redis/confirmations.hpp>
#include <bridges/redis/connection_pool.hpp>
#include <bridges/redis/stream_id.hpp>

namespace actorbus::redis {

class replica_waits {
 public:
  explicit replica_waits(connection_pool& pool) : pool_(pool) {}

  void add(confirmations::request what, stream_id id);
  /// Fails those whose time is over.
  void expire(confirmations::clock::time_point now);

 private:
  struct one {
    confirmations::request what;
    stream_id id;
    bool is_done = false;
    void fail(errc why, const char* text);
  };
  using several = std::vector<std::shared_ptr<one>>;

  void ask();
  static void ask(connection& by, const connection_pool::loan& kept, const several& all);

  connection_pool& pool_;
  several queued_;  ///< not yet asked for
  several all_;     ///< not done, when last looked at
  bool asks_ = false;
};

}  // namespace actorbus::redis
