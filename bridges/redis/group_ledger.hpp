// What a consumer of a group holds, without any I/O: which entries the server delivered to it and what became of each.
//
// handed out -> done -> acknowledged, or -> resting -> recalled -> handed out again, or -> buried, a dead letter. The
// server counts the deliveries: a retry asks it for the entry once more, so that its count stands whoever dies
// meanwhile. Nothing is forgotten before the server has confirmed that it is acknowledged. How many handlers run at
// once is not its matter: what is added is handed out at once. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <bridges/redis/stream_id.hpp>

namespace actorbus::redis {

struct group_settings {
  std::size_t max_in_flight = 64;  ///< entries held that are not yet acknowledged
  std::uint64_t max_deliveries = 5;
  std::chrono::nanoseconds claim_after = std::chrono::seconds{30};  ///< others take what is idle for longer
  std::chrono::nanoseconds first_delay = std::chrono::milliseconds{100};
  std::chrono::nanoseconds longest_delay = std::chrono::seconds{30};
};

class group_ledger {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit group_ledger(const group_settings& with) : with_(with) {}

  /// How many more entries the server may deliver to whoever asks behind the acknowledgements taken as `sent::ahead`.
  std::size_t room() const;
  /// The server delivered it, for the `deliveries`-th time. False: it is held already, as after a claim of one's own,
  /// or in a group that was made again. If its acknowledgement is under way, it is to be acknowledged once more: the
  /// server may have taken that before it delivered it anew.
  bool add(stream_id id, std::uint64_t deliveries, time_point now);
  bool holds(stream_id id) const { return held_.count(id) != 0; }
  /// No handler is called with it any more: it was delivered more often than it may be.
  bool is_exhausted(std::uint64_t deliveries) const { return deliveries > with_.max_deliveries; }
  /// Of one that is held.
  std::uint64_t deliveries(stream_id id) const { return held_.at(id).deliveries; }

  /// Its handler returned: it is to be acknowledged.
  void done(stream_id id);
  /// Its handler threw. True: it rests, and is recalled later. False: that was its last delivery, it is to be buried.
  bool failed(stream_id id, time_point now);
  /// It goes to the dead letters, and is held until it is there: `acknowledged`.
  void bury(stream_id id);
  /// It could not be handled here, or the server knows of no such entry of ours: it is not held any more, unless it was
  /// handled and only that is still to be confirmed.
  void forget(stream_id id);

  /// Those whose rest is over, each once: to be claimed from the server, by oneself.
  std::vector<stream_id> take_rested(time_point now);
  /// The server's answer to that. True: it is handed out again. Without a count it is no longer ours: acknowledged,
  /// claimed by another, or deleted.
  bool recalled(stream_id id, std::optional<std::uint64_t> deliveries, time_point now);
  /// The server refused to answer: they rest until then.
  void not_recalled(const std::vector<stream_id>& which, time_point again);

  /// How acknowledgements go to the server.
  enum class sent : std::uint8_t {
    aside,  ///< by another way than reads: they hold room until they are confirmed
    ahead,  ///< by the same way as reads, whichever follow: the server sees them first, so they hold none
  };
  /// Those that are to be acknowledged, each once, until `lost` or `lost_ahead`.
  std::vector<stream_id> take_done(sent how = sent::aside);
  /// The server confirmed them. Returns how many are held no more: those that are to be acknowledged again are.
  std::size_t acknowledged(const std::vector<stream_id>& which);

  /// Those held for a third of `claim_after` since the server last knew of them: it is to be told that they are alive.
  std::vector<stream_id> take_aging(time_point now);

  /// The connection was lost: what was asked and not answered is asked again. Burials are their owner's matter.
  void lost(time_point now);
  /// The same of acknowledgements alone: of those that went aside, and of those that went ahead of reads.
  void lost_aside();
  void lost_ahead();

  /// When one of the `take_` functions has something that it does not have now; max if never.
  time_point wake_at() const;

  std::size_t held() const { return held_.size(); }
  /// Handed out, and neither done nor failed.
  std::size_t out() const { return out_; }
  /// Those that wait for their next delivery.
  std::vector<stream_id> resting() const;
  /// Nothing is handed out, waits for an answer, or is to be acknowledged: a graceful stop may end.
  bool is_settled() const { return held_.size() == resting_.size(); }
  /// The oldest that is held.
  std::optional<stream_id> oldest() const;

 private:
  enum class state : std::uint8_t { out, resting, recalling, done, confirming, confirming_ahead, buried };
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
  using entries = std::unordered_map<stream_id, entry, hash>;

  static bool is_confirming(const entry& which) {
    return which.now == state::confirming || which.now == state::confirming_ahead;
  }
  void turn(entry& which, state to);
  void rest(entry& which, stream_id id, time_point until);
  void do_again(state those);
  void erase(entries::iterator which);
  std::chrono::nanoseconds delay_before(std::uint64_t delivery) const;
  std::chrono::nanoseconds keep_alive() const { return with_.claim_after / 3; }

  const group_settings with_;
  entries held_;
  std::vector<stream_id> done_;
  std::set<std::pair<time_point, stream_id>> resting_;
  std::size_t out_ = 0;
  std::size_t ahead_ = 0;                     ///< confirming_ahead
  time_point next_look_ = time_point::max();  ///< for those that age
};

}  // namespace actorbus::redis
