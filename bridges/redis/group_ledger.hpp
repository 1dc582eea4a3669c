// What a consumer of a group holds, without any I/O: which entries the server delivered to it and what became of each.
//
// waiting -> running -> acknowledged, or -> resting -> recalled -> waiting again, or -> a dead letter. The server
// counts the deliveries: a retry asks it for the entry once more, so that its count stands whoever dies meanwhile.
// Nothing is forgotten before the server has confirmed that it is acknowledged. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <bridges/redis/stream_id.hpp>

namespace actorbus::redis {

struct group_settings {
  std::size_t max_in_flight = 64;  ///< entries held that are not yet acknowledged
  std::size_t concurrency = 1;     ///< handlers at once
  std::uint64_t max_deliveries = 5;
  std::chrono::nanoseconds claim_after = std::chrono::seconds{30};  ///< others take what is idle for longer
  std::chrono::nanoseconds first_delay = std::chrono::milliseconds{100};
  std::chrono::nanoseconds longest_delay = std::chrono::seconds{30};
};

class group_ledger {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit group_ledger(const group_settings& with) : with_(with) {}

  /// How many more entries the server may deliver.
  std::size_t room() const;
  /// The server delivered it, for the `deliveries`-th time. False: it is held already, as after a claim of one's own.
  bool add(stream_id id, std::uint64_t deliveries, time_point now);

  /// The next for a handler. Nothing: none waits, or all handlers are busy.
  std::optional<stream_id> start();
  /// Its handler returned: it is to be acknowledged.
  void done(stream_id id);
  /// Its handler threw. True: it rests, and is recalled later. False: that was its last delivery; it goes to the dead
  /// letters, and then it is `done`.
  bool failed(stream_id id, time_point now);
  std::uint64_t deliveries(stream_id id) const;

  /// Those whose rest is over, each once: to be claimed from the server, by oneself.
  std::vector<stream_id> take_rested(time_point now);
  /// The server's answer to that. Without a count it is no longer ours: acknowledged or claimed by another, or deleted.
  void recalled(stream_id id, std::optional<std::uint64_t> deliveries, time_point now);

  /// Those that are to be acknowledged, each once, until `lost`.
  std::vector<stream_id> take_done();
  /// The server confirmed them.
  void acknowledged(const std::vector<stream_id>& which);

  /// Those held for a third of `claim_after` since the server last knew of them: it is to be told that they are alive.
  std::vector<stream_id> take_aging(time_point now);

  /// The connection was lost: what was asked and not answered is asked again.
  void lost(time_point now);

  /// When one of the `take_` functions has something that it does not have now; max if never.
  time_point wake_at() const;

  std::size_t held() const { return held_.size(); }
  std::size_t running() const { return running_; }
  /// Nothing runs, waits to be acknowledged, or is about to be: a graceful stop may end.
  bool is_settled() const { return running_ == 0 && done_.empty() && confirming_ == 0; }

 private:
  enum class state : std::uint8_t { waiting, running, resting, recalling, done, confirming };
  struct entry {
    state now;
    std::uint64_t deliveries;
    time_point known_alive;
    time_point rested_at;
  };
  struct hash {
    std::size_t operator()(const stream_id& id) const noexcept {
      return static_cast<std::size_t>(id.milliseconds * 0x9e3779b97f4a7c15U ^ id.sequence);
    }
  };

  std::chrono::nanoseconds delay_before(std::uint64_t delivery) const;
  std::chrono::nanoseconds keep_alive() const { return with_.claim_after / 3; }

  const group_settings with_;
  std::unordered_map<stream_id, entry, hash> held_;
  std::deque<stream_id> waiting_;
  std::vector<stream_id> done_;
  std::set<std::pair<time_point, stream_id>> resting_;
  std::size_t running_ = 0;
  std::size_t confirming_ = 0;
  time_point next_look_ = time_point::max();  ///< for those that age
};

}  // namespace actorbus::redis
