// A consumer of a group on the bridge's loop: holds the entries that are its share, has the hands handle them,
// acknowledges, retries, claims what others left behind, and buries what nobody can handle.
//
// Commands go by the bridge's connection for commands; only reading, which blocks, has one of its own.
// Threads: the loop's.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <bridges/redis/consumer_end.hpp>
#include <bridges/redis/group_burial.hpp>
#include <bridges/redis/group_hands.hpp>
#include <bridges/redis/group_ledger.hpp>
#include <bridges/redis/group_progress.hpp>
#include <bridges/redis/group_reader.hpp>

namespace actorbus::redis {

class group_consumer final : public route, public std::enable_shared_from_this<group_consumer> {
 public:
  using clock = std::chrono::steady_clock;

  group_consumer(bridge_core& of, group_names names, const consume_options& with, std::shared_ptr<group_hands> hands);

  /// The handle's part; before `start`.
  void set_end(std::shared_ptr<consumer_end> what) { end_ = std::move(what); }

  /// Makes the hands, on the caller's thread. Throws std::system_error if there are no threads for them.
  void start_hands();

  void start() override;
  /// At once: what it holds is left pending.
  void stop() override;
  /// Takes no more, finishes what it holds, and ends.
  void finish() override;
  void on_commands() override;
  bool is_flushed() override { return !finishing_ || ended_; }
  void add_to(stats& sum) const override;

  const group_names& names() const { return names_; }
  /// Whose connection it is, for the supervisor.
  const void* mark() const { return static_cast<const route*>(this); }

  // For its reader.

  /// How many entries may be read now.
  std::size_t wants();
  bool holds(stream_id id) const { return ledger_.holds(id); }
  /// The group was looked at since the connection was made.
  bool has_looked() const { return has_looked_; }
  void look_soon();
  /// Where the group was in the stream; empty: nowhere, the stream is another.
  std::optional<stream_id> place_in(const stream_facts& now);
  void take_new(std::span<const reply> entries, const std::shared_ptr<arena>& memory);
  /// What the claim script answered, of entries that are not in hand. What is not in the stream any more is told.
  /// Returns how many are.
  std::size_t take_claimed(const reply& what, const std::shared_ptr<arena>& memory);
  /// Own entries are in hand again: now those of others.
  void claim_soon();
  /// Looks for what others left behind, if that is due and there is room that no read has asked for. Ahead of reading
  /// more: where entries abound, reads take all the room there ever is.
  void claim();
  /// When that is due next.
  clock::time_point claims_at() const { return claim_at_; }
  /// The server was out of reach, perhaps for others too, whose entries went on to age: they may say first that they
  /// live.
  void hold_claims();
  /// What the hands have done since. True: something.
  bool collect();
  /// What the server answered to the acknowledgement of those.
  void acknowledged(const std::vector<stream_id>& which, const reply& what);
  /// The reader's connection was lost, and with it what it was to acknowledge.
  void lost_acknowledgements();
  /// Half of what may be in flight: reads of a stream that flows.
  std::size_t half() const { return (with_.max_in_flight + 1) / 2; }
  /// The reader has come to rest: perhaps all is finished.
  void look_at_end();

 private:
  struct arrival {
    stream_id id;
    std::string_view text;
    std::span<const reply> words;
    std::uint64_t deliveries;
    std::uint64_t told;  ///< deliveries as the handler is told
  };

  void hand_out(const std::vector<arrival>& what, const std::shared_ptr<arena>& memory);
  bool collect(group_batch& from);
  void collect(group_task& from);
  void outcome();
  void linger();
  void failed(group_task& from);
  void acknowledge();
  void bury(const arrival& what, const std::string& error, std::span<const std::string> rest = {});

  void arm(clock::time_point not_before = {});
  void tick();
  void retry();
  void recalled(const std::vector<std::string>& asked, const reply* what);
  void keep_alive();
  void found_idle(const reply* what, std::size_t asked);
  void answered(clock::time_point asked);
  void look();
  void looked(const reply& all, bool had_group);
  void found(const group_progress::finding& what);
  void tell(log_notice what);
  void forget_silent();
  void looked_at_pending(const reply& summary);
  void revoke(stream_id id);
  void claim_those(const std::vector<std::string>& ids, std::string_view idle, std::function<void(const reply*)> then);
  void make_idle(const std::vector<stream_id>& ids, std::chrono::milliseconds how_long,
                 std::function<void(const reply*)> then);
  void leave();
  void end(bool all);

  bridge_core& core_;
  const group_names names_;
  const consume_options with_;
  const std::string claim_after_;  ///< in milliseconds
  const std::shared_ptr<group_hands> hands_;
  std::shared_ptr<consumer_end> end_;
  group_ledger ledger_;
  group_burial burial_;
  group_reader reader_;
  std::deque<std::shared_ptr<group_batch>> batches_;
  std::map<stream_id, handled_places> partly_;  ///< packed entries some of whose events are handled
  boost::asio::steady_timer later_;
  boost::asio::steady_timer linger_;
  clock::time_point claim_at_ = {};
  clock::time_point claim_not_before_ = {};
  clock::time_point look_at_ = {};
  clock::time_point forget_at_ = {};
  group_progress progress_;
  stream_id handled_to_ = {};  ///< everything up to there was acknowledged then
  stream_id again_to_ = {};    ///< what is read up to there may have been delivered before the group was made again
  std::uint64_t pending_ = 0;
  std::uint64_t losses_ = 0;  ///< of the connection for commands, as of its last opening
  std::size_t reserved_ = 0;  ///< room for what is being claimed
  clock::time_point armed_ = clock::time_point::max();
  bool has_looked_ = false;
  bool lingering_ = false;
  bool acks_refused_ = false;
  bool claim_due_ = false;
  bool looking_ = false;
  bool finishing_ = false;
  bool leaving_ = false;
  bool ended_ = false;
};

}  // namespace actorbus::redis
