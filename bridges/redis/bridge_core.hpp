// The bridge behind its handle: the loop, the connections, and the routes, which share what is here.
//
// Threads: what is said to be for any thread; everything else is the loop's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include <bridges/redis/confirmations.hpp>
#include <bridges/redis/connection.hpp>
#include <bridges/redis/echo_filter.hpp>
#include <bridges/redis/io_loop.hpp>
#include <bridges/redis/options.hpp>
#include <bridges/redis/route.hpp>
#include <bridges/redis/route_type.hpp>
#include <bridges/redis/stats.hpp>
#include <bridges/redis/subscription_set.hpp>
#include <bridges/redis/supervisor.hpp>
#include <bridges/redis/uri.hpp>
#include <bus/bus_core.hpp>

namespace actorbus::redis {

class connection_pool;
class message_hub;
class replica_waits;
class stream_history;
class stream_reader;

class bridge_core final : public connection_owner, public std::enable_shared_from_this<bridge_core> {
 public:
  bridge_core(std::shared_ptr<core::bus_core> bus, bridge_options options);
  ~bridge_core() override;

  // Any thread.

  void start();
  enum class route_kind : std::uint8_t { pubsub, stream };
  /// Makes a route unless it overlaps with another of its kind: errc::invalid_argument. `make` runs on the caller's
  /// thread. For a stream route subscribers get what is older from its streams.
  void add_route(route_kind kind, std::string_view pattern, direction way, const wire_format& as,
                 const route_type& type, const std::function<std::shared_ptr<route>()>& make);
  /// Ends the routes of exactly this pattern. False: there is none.
  bool remove_routes(std::string_view pattern);
  /// A route of no pattern, which others may overlap. Throws errc::closed.
  void add_consumer(const std::shared_ptr<route>& fresh);
  /// Whether a stream route of that way, out or in, covers it, which then is the one that carries it so.
  bool is_streamed(std::string_view topic, direction way) const;
  /// The subscriptions by which what pub/sub publishes as `as` on the topic, or on those that a pattern covers, comes
  /// back without its origin.
  std::vector<subscription_set::key> echoed_by(std::string_view pattern, const wire_format& as) const;
  /// Changes whenever what the two above say may have, or what the server has confirmed of it.
  std::uint64_t routing_now() const { return routing_.load(std::memory_order_acquire); }
  void rerouted() { routing_.fetch_add(1, std::memory_order_release); }
  /// The format of the stream route that covers it, null if none does. `way` of the route must go out, if asked for.
  const wire_format* stream_format(std::string_view topic, bool must_go_out) const;
  /// The format of the pub/sub route that takes it out, null if none does. Throws errc::type_mismatch if that is of
  /// another payload.
  const wire_format* pubsub_format(std::string_view topic, std::type_index payload) const;
  /// Older entries of topics' streams.
  past_fetcher past_of(const wire_format& as);
  struct message_for_all {
    std::string channel, message;
    std::vector<subscription_set::key> echoed_by;
  };
  /// In one step of the server.
  void publish_atomically(const std::vector<message_for_all>& what);
  /// On which connection a request goes: behind what goes out, or one of the pool.
  enum class asked_by : std::uint8_t { commands, pool };
  /// Sends a command, and waits for the reply; throws not_connected, timeout, refused_by_server, closed. Of several
  /// commands the last one's reply is taken, if none was refused. `failed`: on the loop, if it was sent in vain.
  void ask(const std::string& what, asked_by which, const std::function<void(std::string&)>& command,
           const std::function<void(const reply&)>& take, std::size_t commands = 1,
           const std::function<void(bool was_refused)>& failed = {});
  /// Whether there is a connection for commands, or one that rests is there by the deadline. On the loop.
  void when_ready(std::chrono::steady_clock::time_point deadline, bool rests, std::function<void(bool)> then);
  stats sum_up();
  bool flush(std::chrono::nanoseconds within);
  /// Has consumers finish, and flushes.
  bool finish(std::chrono::nanoseconds within);
  /// Stops to receive, flushes, ends everything. Idempotent.
  void close(std::chrono::nanoseconds within);
  bool is_closed() const { return closed_.load(std::memory_order_acquire); }
  supervisor& states() { return *states_; }
  const std::shared_ptr<core::bus_core>& bus() const { return bus_; }
  const bridge_options& options() const { return options_; }
  std::uint64_t origin() const { return origin_; }
  io_loop& loop() { return loop_; }
  /// Says it in the bus's log, at most once a second for each kind of trouble.
  void warn(const char* kind, const std::string& what);

  // The loop.

  connection& commands() { return *commands_; }
  /// Commands may be sent now.
  bool has_commands() const { return commands_ && commands_->is_ready(); }
  message_hub& messages();
  stream_reader& reader();
  connection_pool& pool() { return *pool_; }
  replica_waits& replicas() { return *replicas_; }
  /// A further connection, not started. It rests after so long without a command, 0: never.
  std::shared_ptr<connection> connect(connection_owner& owner, const char* purpose, bool subscribes = false,
                                      std::chrono::nanoseconds idle_timeout = {});
  /// Ends the blocking command that it waits for, if that is possible: it ends by itself soon.
  void unblock(const connection& which);
  /// It has stopped, or is about to: only what it has counted is kept.
  void forget(const connection& which);
  const std::vector<std::shared_ptr<route>>& running() const { return running_; }
  /// It has ended by itself.
  void remove(const route& which);
  /// Ends with the bridge.
  void add_history(const std::shared_ptr<stream_history>& which);
  /// See route.
  bool is_settled(std::string_view topic, std::uint64_t until);
  std::optional<stream_offset> next_of(std::string_view topic);
  const own_entries* own_of(std::string_view topic);
  echo_filter echoes;  ///< of streams; for those of messages see message_hub
  confirmations confirming;
  stats counts;  ///< what routes count; connections count by themselves

  void on_connecting(connection& which) override;
  void on_open(connection& which) override;
  void on_lost(connection& which, const std::string& reason) override;
  void on_push(connection& which, const reply& what) override;
  void on_stopped(connection& which) override;

 private:
  struct routing {
    route_kind kind;
    std::string pattern;
    direction way;
    const wire_format* as;
    std::type_index payload;
    std::shared_ptr<route> what;
    history_hook history;
  };

  void expire_confirmations();
  void add_connections(stats& sum) const;
  bool is_flushed();

  const std::shared_ptr<core::bus_core> bus_;
  const bridge_options options_;
  const uri where_;
  const std::uint64_t origin_;
  const std::shared_ptr<supervisor> states_;
  io_loop loop_;  // before everything that has its place in it
  std::shared_ptr<connection> commands_;
  std::unique_ptr<message_hub> messages_;
  std::unique_ptr<stream_reader> reader_;
  const std::unique_ptr<connection_pool> pool_;
  const std::unique_ptr<replica_waits> replicas_;
  std::vector<std::shared_ptr<route>> running_;
  std::vector<std::weak_ptr<stream_history>> histories_;
  std::vector<std::weak_ptr<connection>> connections_;
  connection_counts forgotten_;
  stats final_;
  boost::asio::steady_timer confirm_timer_;

  std::atomic<std::uint64_t> routing_{1};
  mutable std::mutex mutex_;  // guards what follows
  std::vector<routing> routes_;
  std::string publish_sha_;
  std::vector<std::pair<const char*, std::pair<std::chrono::steady_clock::time_point, std::uint64_t>>> warned_;
  std::mutex closing_;
  std::atomic<bool> closed_{false};
};

/// Whether some topic is covered by both.
bool overlap(std::string_view a, std::string_view b);

}  // namespace actorbus::redis
