// One connection to the server: a socket of Boost.Asio, hiredis' reader, and a session that says what to do.
//
// Commands are appended to one buffer, which goes out as a whole, and their replies come back in order. The only file
// that talks to hiredis is its reader's, reply.cpp; the only ones that do I/O are this one's.
// Threads: the loop's.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <bridges/redis/io_loop.hpp>
#include <bridges/redis/reply.hpp>
#include <bridges/redis/session.hpp>
#include <bridges/redis/uri.hpp>

namespace actorbus::redis {

class connection;

/// Who gets replies, in the order of its commands.
class reply_sink {
 public:
  virtual ~reply_sink() = default;
  virtual void take(const reply& what, connection& by) = 0;
  /// The connection was lost: `count` replies will not come, and nobody knows whether their commands were carried out.
  virtual void lost(std::size_t count) = 0;
};

/// Who is told how a connection stands. Called from the loop, never from inside `append` or `expect`.
class connection_owner {
 public:
  virtual ~connection_owner() = default;
  virtual void on_connecting(connection& /*which*/) {}
  /// Ready for commands.
  virtual void on_open(connection& which) = 0;
  /// After every sink was told; not when it was stopped. `reason` is without secrets.
  virtual void on_lost(connection& which, const std::string& reason) = 0;
  /// A message, or the answer to a subscription: an array of at least three that begins with its kind, or an error.
  virtual void on_push(connection& which, const reply& what) = 0;
  virtual void on_stopped(connection& /*which*/) {}
};

struct connection_counts {
  std::uint64_t made = 0, lost = 0, commands = 0, bytes_in = 0, bytes_out = 0;

  connection_counts& operator+=(const connection_counts& more) {
    made += more.made;
    lost += more.lost;
    commands += more.commands;
    bytes_in += more.bytes_in;
    bytes_out += more.bytes_out;
    return *this;
  }
};

class connection final : public std::enable_shared_from_this<connection> {
 public:
  using clock = std::chrono::steady_clock;

  /// `subscribes`: replies that are messages go to `on_push`. `owner` must outlive it, or stop it first.
  connection(io_loop& loop, const uri& where, session_settings with, retry_schedule retries, connection_owner& owner,
             bool subscribes = false);

  void start();
  /// Ends it for good; `on_stopped` follows, at once if there is no connection.
  void stop();
  /// Closes it as if it had been lost.
  void drop(const std::string& reason);

  bool is_ready() const { return session_.is_ready(); }
  bool rests() const { return session_.rests(); }
  std::uint64_t number() const { return session_.connections(); }
  std::int64_t client_id() const { return session_.client_id(); }
  const connection_counts& counts() const { return counts_; }
  /// Replies awaited.
  std::size_t in_flight() const { return in_flight_; }
  /// Bytes appended and not yet with the system.
  std::size_t unsent() const { return out_.size() + sending_.size() - sent_; }

  /// Where commands are appended; only while it is ready. `expect` must follow.
  std::string& out() { return out_; }
  /// So many of the commands appended are `to`'s, whose last may take so much longer than others.
  void expect(reply_sink& to, std::size_t commands, std::chrono::nanoseconds longer = {});
  /// Replies still awaited for `whom` go to nobody: it is about to end.
  void forget(const reply_sink& whom);
  /// So many of them are subscriptions, or their end: each is answered once, to `on_push`.
  void expect_pushes(std::size_t commands);
  /// Sends what was appended now, not behind what the loop does first.
  void flush();
  /// The memory of the reply being taken.
  std::unique_ptr<arena> take_memory() { return reader_.take_memory(); }
  /// A command is waiting for the connection: ends an idle rest.
  void want();

 private:
  struct awaited {
    reply_sink* to;  ///< null: the session; `pushes`: the owner
    std::size_t count;
  };
  struct link;  // connection_link.hpp
  using endpoint = boost::asio::generic::stream_protocol::endpoint;

  void drive();
  void arm();
  void open();
  void connect_to(const std::shared_ptr<link>& on, const std::vector<endpoint>& where);
  void connected(const std::shared_ptr<link>& on);
  void close_link();
  void fail(const std::shared_ptr<link>& on, const std::string& reason);
  void lose(const std::string& reason);
  void wait_to_read(const std::shared_ptr<link>& on);
  void read(const std::shared_ptr<link>& on);
  void dispatch(const reply& what);
  void take_confirmation(const reply& what);
  void plan_flush();
  void await(reply_sink* to, std::size_t count);

  io_loop& loop_;
  const uri where_;
  session session_;
  connection_owner* owner_;
  const bool subscribes_;
  boost::asio::steady_timer timer_;
  boost::asio::ip::tcp::resolver resolver_;
  clock::time_point armed_ = clock::time_point::max();
  std::shared_ptr<link> link_;
  std::string address_;  ///< of this end of the link, as the server sees it if nobody is between
  reply_reader reader_;
  std::vector<char> received_;
  std::string out_;
  std::string sending_;
  std::size_t sent_ = 0;
  bool flush_planned_ = false;
  bool awaits_room_ = false;
  std::deque<awaited> awaited_;
  std::size_t in_flight_ = 0;
  connection_counts counts_;
};

}  // namespace actorbus::redis
