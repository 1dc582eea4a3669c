// What comes in from streams: a feed for each stream of the route; a pattern's are looked for again and again.
//
// Threads: the loop's.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <bridges/redis/inbound_route.hpp>
#include <bridges/redis/stream_feed.hpp>

namespace actorbus::redis {

class stream_in final : public inbound_route, public std::enable_shared_from_this<stream_in> {
 public:
  stream_in(bridge_core& of, std::string_view pattern, const wire_format& as, const route_type& type,
            const stream_options& with);

  void start() override;
  void finish() override;
  void stop() override;
  void on_commands() override;
  void add_to(stats& sum) const override;
  bool is_settled(std::string_view topic, std::uint64_t until) override;
  std::optional<stream_offset> next_of(std::string_view topic) override;

 private:
  void add(std::string key, std::string topic, stream_feed::age how_old);
  void discover(std::string_view cursor);
  void discovered(const reply& what);
  void consider(std::string_view key);
  void discover_later();
  /// Null: none is known.
  stream_feed* feed_of(std::string_view topic) const;

  const stream_options with_;
  std::unordered_map<std::string, std::shared_ptr<stream_feed>> feeds_;
  boost::asio::steady_timer later_;
  bool first_round_ = true;  ///< what is found then begins where the route says; what comes later, at its beginning
  bool discovering_ = false;
  bool stopped_ = false;
};

}  // namespace actorbus::redis
