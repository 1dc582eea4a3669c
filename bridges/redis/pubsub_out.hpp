// What goes out by PUBLISH: pipelined, at most once. While the connection is away events wait in their topic's log.
//
// In formats that have room for it each message says by how much its sequence is above that of the one before, so that
// who receives sees where one is missing. Nothing may follow that says so: where messages were on their way when the
// connection was lost, were refused, or could not go out, a message that tells of a gap goes first.
// Threads: the loop's.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <bridges/redis/outbound_route.hpp>

namespace actorbus::redis {

class pubsub_out final : public outbound_route {
 public:
  /// `is_heard`: what is published comes back to this bridge.
  pubsub_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
             bool is_heard);

  void start() override;
  void stop() override;
  void on_commands() override;
  bool is_flushed() override;
  void add_to(stats& sum) const override;

  void take(const reply& what, connection& by) override;
  void lost(std::size_t count) override;

 private:
  struct target {
    std::string topic;
    std::string channel;
    bool is_shadowed;        ///< a stream route carries this topic
    std::uint64_t last = 0;  ///< the sequence of the last event that went; 0: none has
    bool owes_gap = false;   ///< something of it did not get there: told before what goes next, or in a while
  };

  void pump() override;
  void event(const metadata& about, const outgoing& what) override;
  void unencodable(const metadata& about, const char* why) override;
  void dropped(const lagged& what) override;
  void disconnected(std::string_view topic) override;
  target& target_of(std::string_view topic);
  void send(target& to, std::span<const outgoing> events);
  void send_batch();
  void pack(const outgoing& event);
  void skip(std::string_view topic, std::uint64_t sequence);
  void account();
  void owe_gap(target& of);
  void tell_gap(target& of);
  void tell_gaps();

  const bool is_heard_, filters_echoes_;
  by_topic<target> targets_;
  std::deque<target*> in_flight_;  ///< of each command without a reply
  std::size_t sent_ = 0;           ///< the last of them, not yet accounted for
  deferred_call tell_later_;
};

}  // namespace actorbus::redis
