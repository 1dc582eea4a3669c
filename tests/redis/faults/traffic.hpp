// Events that flow from one process to another through a redis-server while something goes wrong, and what became of
// each of them.
//
// Two buses, each with a bridge: one publishes, the other receives, or both do both. Threads: the test's calls
// everything; events are published by a thread of its own while `flow` is on. Ownership: what its URIs name outlives
// it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "tests/contract/delivery_kind.hpp"
#include "tests/contract/history.hpp"
#include "tests/contract/history_checker.hpp"
#include "tests/redis/faults/told_losses.hpp"

namespace actorbus::testing {

/// What carries the events, and so what was promised.
enum class way {
  pubsub,        ///< where events are missing, a gap was told
  stream,        ///< none is missing
  deduplicated,  ///< each comes once, in its order
  group,         ///< none is missing, and one that comes again says so
};

inline constexpr std::array all_ways{way::pubsub, way::stream, way::deduplicated, way::group};
inline constexpr std::array by_streams{way::stream, way::deduplicated, way::group};

std::string to_string(way which);

/// `command_timeout`: where somebody must notice that replies do not come, and soon.
inline redis::bridge_options connected(std::chrono::nanoseconds command_timeout = std::chrono::seconds{20}) {
  return {.connect_timeout = std::chrono::seconds{1},
          .command_timeout = command_timeout,
          .health_check = std::chrono::milliseconds{200},
          .retry_first = std::chrono::milliseconds{1},
          .retry_most = std::chrono::milliseconds{20}};
}

struct traffic_options {
  way by = way::deduplicated;
  std::vector<std::string> topics = {"x"};
  redis::format format = redis::format::native;
  redis::bridge_options connected = testing::connected();
  bool may_lose = false;   ///< streams: entries go before they are read, and `notices` tell
  bool both_ways = false;  ///< the receiver publishes on the same topics, too; not by groups
  bool alone = true;       ///< it is the only one: `verdict` judges memory
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
  /// Different ones, from the flow and single; both ways: at each side.
  std::uint64_t arrived() const { return arrived_; }
  std::uint64_t notices() const { return notices_; }

  /// Where it stands, for messages of tests.
  std::string describe();

  redis::bridge& sender() { return out_; }
  redis::bridge& receiver() { return in_; }

 private:
  struct lane {
    std::string topic;
    publisher<contract::parcel> to;
    contract::publisher_record* record;
    std::uint64_t counter = 0;
  };
  struct sighting {
    std::string id;  ///< of its entry, where it has one
    std::size_t resets = 0;
  };

  static redis::bridge_options connected_to(const std::string& uri, redis::bridge_options with);
  void add_lane(std::deque<lane>& to, bus& from, const std::string& topic);
  bool publish(lane& by);
  void send(redis::bridge& by, const std::string& topic, redis::direction where);
  /// `who`: 0 is the receiver.
  void receive(bus& on, redis::bridge& by, const std::string& topic, std::uint32_t who);
  void take(contract::subscriber_record& record, std::uint32_t who, const event<contract::parcel>& what);
  /// A group's; of the others' the history judges.
  std::string untold();
  bool has(std::uint32_t publisher, std::uint64_t counter);
  bool may_be_again(const sighting& first, const sighting& now) const;
  std::uint64_t to_arrive() const { return accepted() * (how_.both_ways ? 2 : 1); }
  contract::expectations promised() const;

  const traffic_options how_;
  contract::history history_;
  std::mutex mutex_;                                                                  // guards what follows
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>, sighting> seen_;  ///< by whom, of which publisher
  std::atomic<std::uint64_t> accepted_{0}, arrived_{0}, notices_{0};
  std::atomic<bool> flows_{false};
  std::map<std::string, told_losses> told_;  ///< by topic
  std::string complaints_;

  bus sending_, receiving_;
  redis::bridge out_, in_;
  std::uint32_t next_id_ = 1;
  std::deque<lane> lanes_, single_;
  std::vector<subscription> subscriptions_;
  std::vector<redis::consumer> consumers_;
  std::size_t memory_before_;
  std::thread publisher_;
};

}  // namespace actorbus::testing
