// What goes out by PUBLISH: pipelined, at most once. While the connection is away events wait in their topic's log.
//
// Threads: the loop's.
#pragma once

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
  void on_commands() override { pump(); }
  bool is_flushed() override;
  void add_to(stats& sum) const override;

  void take(const reply& what, connection& by) override;
  void lost(std::size_t count) override;

 private:
  struct target {
    std::string channel;
    bool is_shadowed;  ///< a stream route carries this topic
  };

  void pump() override;
  void event(const metadata& about, const outgoing& what) override;
  target& target_of(std::string_view topic);
  void send(target& to, std::span<const outgoing> events);
  void send_batch();

  const bool is_heard_;
  by_topic<target> targets_;
  std::size_t sent_ = 0;       ///< commands, by this pump
  std::size_t in_flight_ = 0;  ///< commands
};

}  // namespace actorbus::redis
