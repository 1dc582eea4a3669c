// What goes out by PUBLISH: pipelined, at most once. While the connection is away events wait in their topic's log.
//
// Where messages were on their way when it was lost, or were refused, a message that tells of a gap follows, in formats
// that have room for it: who receives has lost no connection and would not know.
// Threads: the loop's.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
    bool is_shadowed;          ///< a stream route carries this topic
    bool is_in_doubt = false;  ///< something of it has not been answered, as far as known
    bool owes_gap = false;     ///< something of it did not get there: told before what goes next
  };

  void pump() override;
  void event(const metadata& about, const outgoing& what) override;
  target& target_of(std::string_view topic);
  void send(target& to, std::span<const outgoing> events);
  void send_batch();
  void account();
  void doubt(target& what);
  void owe_gaps();
  void tell_gap(target& of);

  const bool is_heard_;
  by_topic<target> targets_;
  std::vector<target*> in_doubt_;
  std::size_t sent_ = 0;       ///< commands, not yet accounted for
  std::size_t in_flight_ = 0;  ///< commands
};

}  // namespace actorbus::redis
