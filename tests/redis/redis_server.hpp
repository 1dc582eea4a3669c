// A real redis-server for a test: on a port and a unix socket of its own, with its data in a directory of its own.
//
// Threads: one at a time; any thread may start it, and may end before it.
// Ownership: the destructor stops the server and removes its directory. Its log is kept for log_listener.cpp.
#pragma once

#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/redis/child_process.hpp"
#include "tests/redis/reserved_port.hpp"
#include "tests/redis/scratch_directory.hpp"

namespace actorbus::testing {

class redis_server;

struct redis_server_options {
  bool append_only = false;                  ///< keeps what it acknowledged: each write is on the disk before its reply
  bool debug_command = false;                ///< DEBUG, from this machine
  std::string password = {};                 ///< of the user `default`
  std::vector<std::string> users = {};       ///< more users, as `ACL SETUSER` takes them: "ann on >secret ~* +@all"
  const redis_server* replica_of = nullptr;  ///< outlives this one
  std::vector<std::string> directives = {};  ///< more lines of redis.conf: "maxmemory 2mb"
};

/// What to wait for after a start.
enum class server_is {
  ready,      ///< it answers PING
  listening,  ///< it answers anything, -LOADING too
};

class redis_server {
 public:
  /// Starts it. Throws std::runtime_error with its log if it does not come up.
  explicit redis_server(redis_server_options options = {});
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;
  ~redis_server();

  /// Whether a redis-server is installed.
  static bool available() { return !find_program("redis-server").empty(); }

  std::uint16_t port() const noexcept { return port_.number(); }
  std::string unix_socket() const { return (directory_.path() / "redis.sock").string(); }
  const std::string& password() const noexcept { return options_.password; }
  /// As the user `default`, with the password if there is one.
  std::string uri() const;
  std::string unix_uri() const { return "unix://" + unix_socket(); }
  bool running() const noexcept { return child_.pid() > 0; }

  /// SIGKILL; it is gone on return.
  void kill() { child_.kill(); }
  /// An orderly end, as by SHUTDOWN; it is gone on return.
  void stop();
  /// After `kill` or `stop`: on the same port, socket and data.
  void start(server_is until = server_is::ready);
  /// The same with more lines of redis.conf, this once.
  void start(const std::vector<std::string>& directives, server_is until = server_is::ready);
  /// Throws std::runtime_error with its log if that does not come about.
  void wait_until(server_is state);
  /// Kills it if it runs, and starts it.
  void restart(server_is until = server_is::ready);

  /// Stands still, its connections open, until `resume`.
  void suspend() { child_.signal(SIGSTOP); }
  void resume() { child_.signal(SIGCONT); }

  /// What it has logged since it was first started.
  std::string log() const;

 private:
  void write_configuration(const std::vector<std::string>& more) const;
  bool is(server_is state) const;

  const redis_server_options options_;
  const scratch_directory directory_{"actorbus-redis-"};
  const reserved_port port_;
  child_process child_;
};

}  // namespace actorbus::testing
