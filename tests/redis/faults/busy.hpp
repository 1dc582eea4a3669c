// A server busy with a script, for as long as the object lives.
#pragma once

#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

class busy {
 public:
  explicit busy(const redis_server& server) : script_(server), beside_(server) {
    beside_.run("CONFIG", "SET", "busy-reply-threshold", 10);
    script_.send({"EVAL", "while true do end", "0"});
    script_.read_within(std::chrono::milliseconds{0});  // sends it
    while (!answers_busy()) {
    }
  }
  busy(const busy&) = delete;
  busy& operator=(const busy&) = delete;
  ~busy() { beside_.run("SCRIPT", "KILL"); }

 private:
  bool answers_busy() {
    try {
      beside_.run("GET", "any");
      return false;
    } catch (const redis_error& error) {
      return mentions(error.what(), "BUSY");
    }
  }

  redis_client script_, beside_;
};

}  // namespace actorbus::testing
