// What goes out by PUBLISH: pipelined, at most once. While the connection is away events wait in their topic's log.
//
// Threads: the loop's.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/outbox.hpp>
#include <bridges/redis/outgoing_batch.hpp>

namespace actorbus::redis {

class pubsub_out final : public route,
                         public reply_sink,
                         public std::enable_shared_from_this<pubsub_out>,
                         private out_reader {
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

  void pump();
  void plan();
  void event(const metadata& about, const outgoing& what) override;
  void unencodable(const metadata& about, const char* why) override;
  void dropped(const lagged& what) override;
  target& target_of(std::string_view topic);
  void send(target& to, std::span<const outgoing> events);
  void send_batch();

  bridge_core& core_;
  const wire_format& as_;
  const std::string pattern_;
  const bool is_heard_;
  outbox from_;
  std::unordered_map<std::string, target> targets_;
  target* last_ = nullptr;
  std::string last_topic_;
  std::string scratch_;
  outgoing_batch batch_;
  std::size_t sent_ = 0;       ///< commands, by this pump
  std::size_t in_flight_ = 0;  ///< commands
  bool planned_ = false;
  bool stopped_ = false;
};

}  // namespace actorbus::redis
