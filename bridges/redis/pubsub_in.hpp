// What comes in by SUBSCRIBE or PSUBSCRIBE: read from the socket at once, held here while its topic is full.
//
// Threads: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <bridges/redis/deferred_call.hpp>
#include <bridges/redis/inbound_route.hpp>
#include <bridges/redis/inbound_topic.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/sender_sequences.hpp>

namespace actorbus::redis {

class pubsub_in final : public inbound_route, public message_taker, public std::enable_shared_from_this<pubsub_in> {
 public:
  pubsub_in(bridge_core& of, std::string_view pattern, const wire_format& as, const route_type& type,
            const pubsub_options& with);

  void start() override;
  void stop() override;
  void message(std::string_view channel, std::string_view payload) override;
  void after_gap(const std::string& reason) override;
  void after_gap_on(const std::string& channel, const std::string& reason) override;
  void add_to(stats& sum) const override;

  /// How much of what was published on its topic came by here, events and notices, or somewhat more.
  std::uint64_t brought_in(const std::string& channel) const;

 private:
  /// A message, or where a connection was lost between messages, and why.
  struct arrival {
    std::string text;
    std::size_t events;  ///< 0: where a connection was lost
    bool is_gap() const { return events == 0; }
  };
  struct arrivals {
    std::unique_ptr<inbound_topic> topic;  ///< null: refused, and its messages are counted
    std::deque<arrival> waiting = {};
    std::size_t events = 0;     ///< in them
    std::size_t place = 0;      ///< events of the first one that are published already, or dropped
    std::size_t dropped = 0;    ///< events, since the last notice
    std::uint64_t brought = 0;  ///< events and notices handed on to the topic
    std::uint64_t as_of = 0;    ///< the routing that the next is of
    bool is_shadowed = false;   ///< a stream route brings this topic in
    std::string gap = {};       ///< a notice that is to be told, before what waits
    sender_sequences senders = {};
  };

  arrivals& arrivals_of(const std::string& channel);
  bool is_shadowed(arrivals& which);
  std::unique_ptr<inbound_topic> open(std::string_view channel);
  /// False: the topic is full.
  bool publish(arrivals& to, const std::string& channel, std::string_view message);
  bool follows(arrivals& to, const incoming& one);
  bool tell_gap(arrivals& to);
  void tell_behind(arrivals& to, const std::string& channel, const std::string& text);
  void tell_silent(const std::string& text);
  void keep(arrivals& to, const std::string& channel, std::string_view message);
  void make_room(arrivals& to, std::size_t events);
  void pass_over(arrivals& to, const arrival& message, std::size_t end);
  void set_aside(const std::string& channel, const char* why);
  std::uint64_t handed_on() const { return core_.counts.in + core_.counts.gaps; }
  void go_on();
  bool go_on(arrivals& to, const std::string& channel);
  void come_back() { later_.plan(weak_from_this()); }

  const pubsub_options with_;
  const subscription_set::key by_;  ///< the channel, or the pattern in the server's sense
  std::unordered_map<std::string, arrivals> topics_;
  std::size_t open_topics_ = 0;
  std::uint64_t told_silent_ = 0;  ///< notices to topics that nothing had come for
  std::vector<incoming> events_;
  deferred_call later_;
};

}  // namespace actorbus::redis
