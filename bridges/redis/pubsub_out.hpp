// What goes out by PUBLISH: pipelined, at most once. While the connection is away events wait in their topic's log.
//
// In formats that have room for it each message says by how much its sequence is above that of the one before, so that
// who receives sees where one is missing. Nothing may follow that says so: where messages were on their way when the
// connection was lost, were refused, or could not go out, a message that tells of a gap goes first.
//
// In formats without an origin our own messages are told from others' by their payload when they come back. So nothing
// goes out while the answer to a subscription is under way: nobody could say whether it will.
// Threads: the loop's.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/echo_filter.hpp>
#include <bridges/redis/outbound_route.hpp>
#include <bridges/redis/subscription_set.hpp>

namespace actorbus::redis {

class pubsub_in;

class pubsub_out final : public outbound_route {
 public:
  /// `in`: what brings in what others publish there, if the route goes both ways.
  pubsub_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
             std::shared_ptr<const pubsub_in> in);

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
    std::uint64_t as_of = 0;   ///< the routing that the next two are of
    bool is_shadowed = false;  ///< a stream route carries this topic out
    bool comes_back = false;   ///< without its origin
    std::uint64_t last = 0;    ///< the sequence of the last event that went; 0: none has
    bool owes_gap = false;     ///< something of it did not get there: told before what goes next, or in a while
  };

  void pump() override;
  void event(const metadata& about, const outgoing& what) override;
  void unencodable(const metadata& about, const char* why) override;
  void dropped(const lagged& what) override;
  void disconnected(std::string_view topic) override;
  target& target_of(std::string_view topic);
  void look_up(target& of);
  bool is_undecided();
  void send(target& to, std::span<const outgoing> events);
  void send_batch();
  void pack(const outgoing& event);
  void skip(std::string_view topic, std::uint64_t sequence);
  void account();
  void owe_gap(target& of);
  void tell_gap(target& of);
  void tell_gaps();

  struct unanswered {
    target* to;
    std::size_t events;
    echo_filter::mark echo;
  };
  void answered(std::size_t messages);

  const std::shared_ptr<const pubsub_in> in_;
  by_topic<target> targets_;
  std::deque<unanswered> in_flight_;  ///< each command without a reply
  std::size_t events_ = 0;            ///< in in_flight_
  std::size_t sent_ = 0;              ///< the last of in_flight_, not yet accounted for
  std::uint64_t as_of_ = 0;           ///< the routing that the next is of
  std::vector<subscription_set::key> echoed_by_;
  bool awaits_answer_ = false;
  deferred_call tell_later_;
};

}  // namespace actorbus::redis
