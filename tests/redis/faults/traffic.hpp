// Events that flow from one process to another through a redis-server while something goes wrong, and what became of
// each of them.
//
// Two buses, each with a bridge: one publishes, the other receives. Threads: the test's calls everything; events are
// published by a thread of its own while `flow` is on. Ownership: what its URIs name outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "tests/contract/delivery_kind.hpp"
#include "tests/contract/history.hpp"
#include "tests/contract/history_checker.hpp"

namespace actorbus::testing {

/// What carries the events, and so what was promised.
enum class way {
  pubsub,        ///< where events are missing, a gap was told
  stream,        ///< none is missing
  deduplicated,  ///< each comes once, in its order
};

std::string to_string(way which);

struct traffic_options {
  way by = way::deduplicated;
  std::vector<std::string> topics = {"x"};
  redis::format format = redis::format::native;
  redis::bridge_options connected = {.connect_timeout = std::chrono::seconds{1},
                                     .command_timeout = std::chrono::milliseconds{500},
                                     .health_check = std::chrono::milliseconds{200},
                                     .retry_first = std::chrono::milliseconds{1},
                                     .retry_most = std::chrono::milliseconds{20}};
  bool may_lose = false;  ///< streams: entries go before they are read, and `notices` tell
};

class traffic {
 public:
  traffic(const std::string& sender_uri, const std::string& receiver_uri, traffic_options how);
  traffic(const std::string& uri, traffic_options how) : traffic(uri, uri, std::move(how)) {}
  traffic(const traffic&) = delete;
  traffic& operator=(const traffic&) = delete;
  ~traffic();

  /// From now on events are published on every topic, without a pause that one would notice.
  void flow();
  /// No more; waits for the one that is being published.
  void stop();
  /// Waits until so many more have arrived. False: they do not.
  bool moves(std::uint64_t more = 100);

  /// Publishes single events on every topic until one arrives, on each.
  bool is_alive();
  /// Stops; once all that was accepted has arrived or never will, says what is wrong, as a rule nothing.
  std::string verdict();

  std::uint64_t accepted() const { return accepted_; }
  /// Different ones, from the flow and single.
  std::uint64_t arrived() const { return arrived_; }
  std::uint64_t notices() const { return notices_; }

  redis::bridge& sender() { return out_; }
  redis::bridge& receiver() { return in_; }

 private:
  struct lane {
    std::string topic;
    publisher<contract::parcel> to;
    contract::publisher_record* record;
    std::uint64_t counter = 0;
  };

  static redis::bridge_options connected_to(const std::string& uri, redis::bridge_options with);
  void add_lane(std::deque<lane>& to, const std::string& topic);
  bool publish(lane& by);
  void receive(const std::string& topic);
  void take(contract::subscriber_record& record, const event<contract::parcel>& what);
  bool has(std::uint32_t publisher, std::uint64_t counter);
  contract::expectations promised() const;

  const traffic_options how_;
  contract::history history_;
  std::mutex mutex_;  // guards what follows
  std::set<std::pair<std::uint32_t, std::uint64_t>> seen_;
  std::atomic<std::uint64_t> accepted_{0}, arrived_{0}, notices_{0};
  std::atomic<bool> flows_{false};
  std::string complaints_;

  bus sending_, receiving_;
  redis::bridge out_, in_;
  std::uint32_t next_id_ = 1;
  std::deque<lane> lanes_, single_;
  std::vector<subscription> subscriptions_;
  std::thread publisher_;
};

}  // namespace actorbus::testing
