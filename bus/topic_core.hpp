// The topic: lanes and control messages in, a log out. Everything about it that does not depend on the payload's type.
//
// The baton (the doorbell's `running`) makes its holder the log's writer: as a rule the topic's actor, now and then a
// thread that finds the topic unattended (a publisher with one event, a subscriber that attaches, a reader that was the
// last to pass something). Only the actor runs handlers. Threads: any, unless a function says "writer".
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <bus/cursor.hpp>
#include <bus/doorbell.hpp>
#include <bus/engine.hpp>
#include <bus/in_handler.hpp>
#include <bus/lane.hpp>
#include <bus/linger.hpp>
#include <bus/log.hpp>
#include <bus/notices.hpp>
#include <bus/options.hpp>

namespace actorbus {

/// Which mark a topic's backlog has crossed.
enum class pressure {
  high,  ///< it rose to the high mark
  low,   ///< it fell back to the low mark
};

/// Called with the mark that was crossed and the events that wait: once per crossing, in the topic's actor.
using pressure_callback = std::function<void(pressure, std::size_t)>;

namespace core {

class bus_core;
class subscriber;
class history_source_base;

class topic_core : public activity, public std::enable_shared_from_this<topic_core> {
 public:
  /// What may be published now. Moves to the right only.
  enum class gate : std::uint8_t {
    open,
    draining,  ///< the bus closes: handlers only
    finished,  ///< end of stream
    closed,
  };

  topic_core(std::shared_ptr<bus_core> bus, std::shared_ptr<topic_identity> identity, std::uint64_t first_sequence);
  ~topic_core() override;

  const std::string& name() const { return identity_->name; }
  const std::shared_ptr<topic_identity>& identity() const { return identity_; }
  std::type_index type() const { return identity_->payload.type; }
  std::uint64_t id() const { return id_; }
  bus_core& bus() const { return *bus_; }
  const core::log& log() const { return log_; }

  // Options: explicit ones configure a topic that was made without; two different explicit ones throw options_mismatch.
  void configure(const topic_options& explicitly);
  /// What holds until somebody is explicit; `defaults` lives for ever.
  void configure_by_default(const topic_options& defaults);
  const topic_options& options() const { return *options_.load(std::memory_order_acquire); }

  // Publishing; the typed part is topic_of<T>.

  /// The error for a publish at this moment, none if it is allowed. `from_handler`: still accepted while the bus
  /// closes.
  std::error_code refusal(bool from_handler) const;
  /// It is allowed, from anywhere. Relaxed: the load is where a publish comes before a closing or does not.
  bool is_open() const { return gate_.load(std::memory_order_relaxed) == gate::open; }
  /// Counts and returns it.
  std::error_code refuse(std::error_code why);
  /// Runs the interceptor, if there is one.
  std::error_code intercept(headers& with, std::uint64_t origin) const;
  /// After a push into `to`: wakes the actor if the topic was idle.
  void ring_after_push(const lane& to) {
    if (to.is_fenced() ? bell_.ring() : bell_.ring_unfenced()) return wake();
    if (bell_.is_stalled()) [[unlikely]]
      look_at_pressure();
  }
  /// After a push of `published` events into `by`: destroys as many of those that everybody has passed, several at
  /// once, as each go has a price. See log::trim_in_stream.
  void tidy_up(const lane& by, std::size_t published) {
    const std::uint64_t pushed = by.pushed();
    if (pushed / tidied_at_once == (pushed - published) / tidied_at_once || !log_.has_worn()) return;
    if (!log_.destroy_worn(std::max(published, tidied_at_once))) leave_worn();
  }
  /// Waits until `of` has room or publishing is refused. False: the deadline passed.
  bool wait_for_room(lane& of, engine::time_point deadline);
  /// Runs the topic's step here if nobody does. True if it did.
  bool help();
  /// End of stream, behind every publish that returned before. Later publishes are errc::finished.
  void finish();

  // Subscribing.

  /// Attaches behind every publish that returned before this call and before every one that starts after it. Never
  /// waits.
  void attach(std::shared_ptr<cursor> which);
  void detach(std::shared_ptr<cursor> which);
  void on_pressure(std::size_t high, std::size_t low, pressure_callback callback);
  /// The log's newest event of those kept for replay, pinned.
  stretch newest(std::uint64_t& sequence);
  /// Events published so far have been appended up to the returned sequence, once `appended` says so.
  using tails = std::vector<std::pair<std::shared_ptr<lane>, std::uint64_t>>;  ///< how far each lane was pushed
  struct mark {
    tails lanes;
    std::uint64_t sequence = 0;  ///< once appended: the log's end then
  };
  mark mark_now() const;
  bool has_appended(mark& upto) const;
  /// Every reader there is has passed everything before `sequence`, or dropped it. False once a closing bus ends them.
  bool has_been_handled(std::uint64_t sequence) const;

  // Readers.

  /// Wakes the actor if one of its watches has a crossing to tell.
  void look_at_pressure();
  /// A cursor has moved: room for a stalled topic. The caller issued a seq_cst fence since.
  void made_room(const cursor& by);
  /// A cursor came to its end: maybe something to destroy.
  void reader_rested();
  /// Wakes a reader that this topic's writer found something for.
  void wake_reader(waker& of);
  /// Runs a run_on::topic subscriber in this topic's actor.
  void run_inside(std::shared_ptr<subscriber> which, bool by_writer);
  bool has_ended() const { return ended_.load(std::memory_order_acquire) != 0; }
  /// Why it ended; nothing for a topic that was retired, which is not told.
  std::optional<finish_reason> end_reason() const;

  // Handles and retiring.

  void add_handle() { handles_.fetch_add(1, std::memory_order_relaxed); }
  void drop_handle();
  void add_publisher(int n) { publishers_.fetch_add(n, std::memory_order_relaxed); }
  bool has_literals() const { return literals_.load(std::memory_order_acquire) != 0; }
  void add_literal(int n) { literals_.fetch_add(n, std::memory_order_relaxed); }
  /// Nothing keeps it: no handle, no literal subscription, nothing in the log or the lanes, no history.
  bool is_retirable() const;
  /// By the registry, which no longer knows it: pattern readers let it go.
  void retire();
  bool is_retired() const { return ended_.load(std::memory_order_acquire) == retired; }

  // Closing, by the bus.

  void set_gate(gate to);
  gate current_gate() const { return gate_.load(std::memory_order_acquire); }
  /// Nothing waits in lanes or spills, and every handler has read everything.
  bool is_quiet() const;
  /// Ends it: what is left in the lanes is abandoned, lanes are sealed, the log ends. False: somebody holds the baton,
  /// perhaps a handler inside the topic, and will do it.
  bool try_close();

  struct facts {
    std::uint64_t accepted, appended, abandoned, refused, spilled_ever;
    std::size_t depth, history, publishers, subscribers, high_water, pinned_chunks, lanes;
    std::uint64_t skipped_types;
  };
  facts describe() const;
  std::vector<std::shared_ptr<cursor>> cursors() const;
  void count_spilled(std::uint64_t n) { spilled_ever_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t redriven_to = 0;  ///< guarded by the bus's redrive lock

  /// Calls `take` with the events of the log from `sequence` on, oldest first, until it returns false.
  void look_at_log(std::uint64_t sequence, const std::function<bool(const metadata&)>& take) const;
  void set_history_source(std::shared_ptr<history_source_base> source);
  std::shared_ptr<history_source_base> history_source() const;

  bool run() override;

 protected:
  /// A lane for a new publisher, known to the topic. Null: the gate is shut.
  std::shared_ptr<lane> add_lane(std::shared_ptr<lane> fresh);
  /// Tries to become the writer for one event that comes alone: the last one was a while ago, nothing waits before it,
  /// and no reader stops the topic. In a stream of events it would ring every reader for each. A reader that was rung
  /// and has not begun needs no ring, and the actor need not wake for it.
  bool take_for_direct_append(std::int64_t& time);
  bool is_idle() const { return bell_.is_idle(); }
  void finish_direct_append(std::size_t count);
  /// Ends it without an append.
  void give_baton_back();
  core::log& writable_log() { return log_; }
  std::int64_t time_stamp() const;

  const std::shared_ptr<bus_core> bus_;

 private:
  static constexpr std::uint8_t retired = 255;
  static constexpr std::size_t step_budget = 4096;     ///< events appended before other actors have their turn
  static constexpr std::int64_t alone_after = 20'000;  ///< nanoseconds since the last append; about a wake-up
  static constexpr int steps_in_a_row = 64;            ///< before actors of others have their turn
  /// glibc keeps seven freed pieces of a size at hand for each thread (glibc.malloc.tcache_count).
  static constexpr std::size_t tidied_at_once = 6;
  static constexpr std::size_t direct_readers = 4;   ///< a publisher wakes no more readers than this by itself
  static constexpr std::uint64_t survey_every = 64;  ///< direct appends between two looks at what may be trimmed
  static constexpr std::size_t resume_room = 128;    ///< a stalled topic resumes once this much room is there

  struct control {
    enum class kind { attach, detach, finish } what;
    std::shared_ptr<cursor> which;
    tails lanes;
  };

  void wake();
  void leave_worn();
  void post(control message);
  tails lane_tails() const;

  // The writer.
  void step();
  bool linger_for_more();
  void set_unfenced();
  void set_fenced();
  void look_at_lanes();
  void take_controls();
  void survey();
  bool settle(control& message, std::size_t& budget, std::int64_t time);
  bool settle_finish(std::size_t& budget, std::int64_t time);
  void settle_all(std::size_t& budget, std::int64_t time);
  void close_here(std::size_t& budget, std::int64_t time);
  void place(cursor& which);
  std::vector<replayed> replay_from(std::uint64_t start, std::uint64_t end);
  std::uint64_t first_since(std::int64_t time, std::uint64_t oldest, std::uint64_t end);
  bool drain_to(const tails& upto, std::size_t& budget, std::int64_t time);
  void make_known();
  bool seal_lanes();
  void remove_lane(lane& gone);
  bool run_inside_readers();
  void watch_pressure();
  void plan_reclaim();
  void reclaim();
  void reclaim_lanes();
  bool rest_or_continue(bool reclaims_later = true);

  // Anybody, under the mutex.
  enum class work { none, without_room, ready };  ///< what is left: nothing, what must wait for room, something to do
  work look_for_work() const;
  bool must_close() const { return wants_close_.load(std::memory_order_relaxed) && !has_ended(); }
  std::uint64_t append_limit() const;
  bool lanes_hold_something() const;
  std::size_t backlog() const;
  bool pressure_is_due() const;

  const std::shared_ptr<topic_identity> identity_;
  const std::uint64_t id_;
  core::log log_;
  doorbell bell_;
  std::atomic<gate> gate_{gate::open};
  std::atomic<std::uint8_t> ended_{0};  ///< 0, finish_reason + 1, or retired
  std::atomic<bool> wants_trim_{false};
  std::atomic<bool> wants_close_{false};
  std::atomic<bool> controls_posted_{false};
  std::atomic<int> unsettled_{0};  ///< control messages posted and not yet carried out
  std::atomic<bool> inside_posted_{false};
  std::atomic<bool> watched_{false};
  std::atomic<bool> reclaim_planned_{false};
  std::atomic<std::uint32_t> lanes_version_{0};
  std::atomic<int> handles_{0};
  std::atomic<int> publishers_{0};
  std::atomic<int> literals_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> spilled_ever_{0};
  std::atomic<std::uint64_t> direct_{0};            ///< accepted without a lane
  std::atomic<std::uint64_t> accepted_in_gone_{0};  ///< accepted by lanes that are gone
  std::atomic<std::uint64_t> abandoned_{0};
  std::atomic<std::size_t> high_water_{0};
  std::atomic<const topic_options*> options_;
  std::unique_ptr<const topic_options> explicit_options_;
  std::atomic<waker*> waker_known_{nullptr};  ///< release after waker_ is set under the mutex; acquire in wake()
  std::unique_ptr<waker> waker_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<lane>> lanes_;
  std::vector<control> posted_;
  std::vector<std::shared_ptr<subscriber>> inside_;
  std::vector<std::shared_ptr<cursor>> cursors_;  // changed by the writer under the mutex; the writer reads it without
  std::shared_ptr<history_source_base> history_source_;
  struct watch {
    std::size_t high, low;
    pressure_callback callback;
    bool above = false;
  };
  std::vector<std::shared_ptr<watch>> watches_;

  // The writer's own.
  std::vector<control> pending_;
  tails seen_;  ///< the lanes, and how far each may be drained in this step
  std::uint32_t seen_version_ = 0;
  std::uint64_t rung_to_;
  std::uint64_t reclaim_mark_ = 0;
  bool has_unfenced_ = false;   ///< lanes whose publishers do not fence
  linger stream_;               ///< of events
  bool in_slice_ = false;       ///< of the topic's own, not of a thread that helps
  bool runs_handlers_ = false;  ///< it had a reader inside
  bool hands_over_ = false;     ///< the next reader to be woken runs behind this slice, on its thread
  std::uint64_t limit_ = 0;     ///< nothing at or behind it may be appended now
  std::uint64_t floor_ = 0;     ///< everything before it may be trimmed
  std::size_t first_lane_ = 0;  ///< whose turn it is to be drained first
};

}  // namespace core
}  // namespace actorbus
