// What a route that takes events out is, whatever they go by: an outbox that is emptied whenever there is room, and
// what it tells of events that do not go.
//
// Threads: the loop's, except for the making.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/deferred_call.hpp>
#include <bridges/redis/outbox.hpp>
#include <bridges/redis/outgoing_batch.hpp>
#include <bridges/redis/route.hpp>

namespace actorbus::redis {

/// What a route knows of each topic, found at once where one event follows another of its topic.
template <class Target>
class by_topic {
 public:
  /// `make(topic)` if there is none yet.
  template <class Make>
  Target& find(std::string_view topic, Make make) {
    if (last_ != nullptr && last_topic_ == topic) return *last_;
    const auto found = all_.find(std::string(topic));
    last_ = found != all_.end() ? &found->second : &all_.emplace(std::string(topic), make(topic)).first->second;
    last_topic_ = topic;
    return *last_;
  }
  auto begin() { return all_.begin(); }
  auto end() { return all_.end(); }

 private:
  std::unordered_map<std::string, Target> all_;
  Target* last_ = nullptr;
  std::string last_topic_;
};

class outbound_route : public route,
                       public reply_sink,
                       public std::enable_shared_from_this<outbound_route>,
                       protected out_reader {
 protected:
  /// Bytes of one entry or message, or one call of the script, that hold many events.
  static constexpr std::size_t largest_batch_bytes = std::size_t{64} * 1024;
  /// Events taken before the loop looks at its other work.
  static constexpr std::size_t turn = 1024;

  outbound_route(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from)
      : core_(of),
        pattern_(pattern),
        as_(as),
        from_(of.loop(), std::move(from)),
        soon_(of.loop(), [this] { pump(); }),
        once_sent_(
            of.loop(), [this] { pump(); }, moment) {}

  /// Takes what there is room for, and sends it.
  virtual void pump() = 0;
  /// The same, behind the replies that are there already.
  void pump_soon() { soon_.plan(weak_from_this()); }
  /// False: so much waits to be sent, perhaps of other routes, that nothing more is to be taken. Then it pumps again.
  bool may_take();
  /// Pumps. Whether everything that was in the topics' logs by now is taken: what is there may not be seen yet, for who
  /// wrote it has still to ring.
  bool pump_all();
  void not_encodable(std::string_view topic, std::size_t events, const char* why);

  void unencodable(const metadata& about, const char* why) override { not_encodable(about.topic, 1, why); }
  void dropped(const lagged& what) override;
  void disconnected(std::string_view topic) override;

  bridge_core& core_;
  const std::string pattern_;
  const wire_format& as_;
  outbox from_;
  outgoing_batch batch_;
  std::string scratch_;
  bool stopped_ = false;

 private:
  /// Bytes handed over and not yet with the system: beyond them nothing more is taken.
  static constexpr std::size_t most_unsent = std::size_t{4} * 1024 * 1024;
  /// Between two looks at whether that is over.
  static constexpr std::chrono::milliseconds moment{1};

  deferred_call soon_, once_sent_;
};

}  // namespace actorbus::redis
