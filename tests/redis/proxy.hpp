// A TCP proxy before a redis-server, for what goes wrong between a client and it.
//
// Each fault is commanded by the test and has taken effect when its call returns; it never happens by itself.
// Threads: any may command and count; the proxy forwards on a thread of its own.
// Ownership: the destructor resets every connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tests/redis/proxied_connection.hpp"
#include "tests/redis/reserved_port.hpp"

namespace actorbus::testing {

class redis_server;

class proxy {
 public:
  /// Before the TCP port of `to`, which may be down, or be killed and come back.
  explicit proxy(const redis_server& to);
  /// Before a port of 127.0.0.1.
  explicit proxy(std::uint16_t to);
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;
  ~proxy();

  std::uint16_t port() const noexcept { return port_.number(); }
  std::string uri() const { return "redis://127.0.0.1:" + std::to_string(port()); }

  /// Cuts, garbage and cut_after from now on concern only connections whose first 64 KiB of requests contain this, such
  /// as "XREAD"; empty: all.
  void only_where(std::string request_contains);

  /// Forwards nothing any more in that direction, nor that a side closed: half-open. Also on connections to come.
  void stall(forwarding which);
  void stall();
  /// All that waited goes on.
  void resume();

  /// Resets every connection.
  void cut();
  /// Ends the first connection that has `bytes` more of replies to forward, in an orderly way, after exactly these.
  void cut_after(std::uint64_t bytes);

  /// The next reply that comes from the server, and what was read with it, is thrown away, and these bytes are
  /// forwarded in its place. Never in the middle of a reply: what would be read as a text there is no garbage.
  void replace_next_reply(std::string bytes);

  /// Everything read from now on is forwarded so much later, in both directions; zero: at once.
  void delay(std::chrono::milliseconds by);

  /// Connecting fails, as to a port on which nobody listens; connections that are open stay.
  void refuse_connections();
  void accept_connections();

  /// Accepted so far, and now open.
  std::uint64_t connections() { return count(connections_); }
  std::uint64_t open_connections() { return count(open_); }
  /// Forwarded so far.
  std::uint64_t request_bytes() { return count(request_bytes_); }
  std::uint64_t reply_bytes() { return count(reply_bytes_); }

 private:
  using moment = std::chrono::steady_clock::time_point;

  void command(std::function<void()> what);
  /// Behind all that a client can have seen.
  std::uint64_t count(const std::uint64_t& of);
  void run_commands();
  void run();
  void wait();
  void forget_the_gone();
  void listen();
  void close_listener();
  void take_connections();
  void connect(int client);
  void forward(proxied_connection& on);
  void read(proxied_connection& on, forwarding which);
  void write(proxied_connection& on, forwarding which);
  void write_replies(proxied_connection& on);
  bool concerns(const proxied_connection& on) const;

  const std::uint16_t to_;
  const reserved_port port_;
  const int bell_;  // an eventfd that ends the wait

  std::mutex mutex_;  // guards what follows
  std::deque<std::function<void()>> commands_;

  // The thread's own.
  std::uint64_t connections_ = 0, open_ = 0, request_bytes_ = 0, reply_bytes_ = 0;
  int listener_ = -1;
  bool ended_ = false;
  std::list<proxied_connection> all_;
  bool stalled_[2] = {false, false};
  std::string only_where_;
  std::optional<std::uint64_t> cut_after_;
  std::optional<std::string> replacement_;
  std::chrono::milliseconds delay_{0};

  std::thread thread_;
};

}  // namespace actorbus::testing
