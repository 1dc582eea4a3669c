// Whatever reads logs through cursors: a subscription, a group, an inbox. Which of its cursors have something, and the
// way of one cursor along its log: replay, notices, overflow, live.
//
// Threads: `make_ready` by topics' writers; the protected part by whoever runs the reader, one thread at a time,
// decided by its doorbell.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <bus/cursor.hpp>
#include <bus/doorbell.hpp>
#include <bus/in_handler.hpp>
#include <bus/options.hpp>
#include <bus/sink.hpp>

namespace actorbus::core {

class bus_core;

class reader : public std::enable_shared_from_this<reader> {
 public:
  struct settings {
    std::string name;
    std::string pattern;  ///< or the literal topic
    replay from;
    actorbus::overflow overflow;
    std::size_t capacity;
    filter where;
  };

  reader(std::shared_ptr<bus_core> bus, settings with);
  virtual ~reader();
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  const settings& set() const { return set_; }
  bool is_literal() const { return literal_; }
  bus_core& bus() const { return *bus_; }

  /// `which`, just marked ready, has something to read. Wakes the reader if it was idle. `by`: the topic, from its
  /// writer.
  void make_ready(cursor& which, topic_core* by = nullptr);

  /// Adds a cursor for `topic`, not yet attached to it.
  std::shared_ptr<cursor> add_cursor(std::shared_ptr<topic_core> topic);
  /// Lets every topic go. After it the reader reads nothing.
  void drop_cursors();
  std::vector<std::shared_ptr<cursor>> cursors() const;

  /// Handlers count for flush and close; inboxes, which their owner polls, do not.
  virtual bool counts_for_quiet() const = 0;
  /// Everything before `sequence` of this cursor's topic was handled.
  virtual bool has_handled(const cursor& of, std::uint64_t sequence) const;
  /// The same of the topic with this name; also if it reads no such topic.
  bool has_read(std::string_view topic, std::uint64_t sequence) const;
  /// Its handler runs inside its topics' actors.
  virtual bool runs_inside() const { return false; }
  /// Its owner asked it to rest; close does not wait for it.
  bool is_paused() const { return (control_.load(std::memory_order_acquire) & paused) != 0; }
  bool is_ended() const { return (control_.load(std::memory_order_acquire) & ended) != 0; }
  /// The bus is closing: whether topics still wait for this reader's `block`.
  virtual bool holds_up_closing() const { return !is_paused(); }

  /// Between two calls: must the loop over a batch end? Relaxed: the load is where the next call begins or does not.
  bool must_stop() const { return control_.load(std::memory_order_relaxed) != 0; }
  /// Locks the owner for one call. False: it is gone, and so is the subscription.
  bool lock_owner(std::shared_ptr<void>& alive) { return !owned_ || lock_set_owner(alive); }
  const filter& where() const { return set_.where; }

  /// Somebody is still to be called on a worker, and will be soon.
  virtual bool awaits_worker() { return false; }

  /// The bus ends the reader: nothing is read any more. `why` is told if the sink takes it and nobody runs.
  virtual void end(finish_reason why) = 0;

  /// Totals of cursors that are gone already, for the accounts.
  struct totals {
    std::uint64_t offered = 0, delivered = 0, failed = 0, filtered = 0, dropped = 0, abandoned = 0, retries = 0;
    totals& operator+=(const totals& more);
  };
  virtual totals account() const;
  /// Events there and not yet handled.
  virtual std::uint64_t lag() const;
  /// Time of the oldest event not yet handled, if there is one.
  std::optional<std::int64_t> oldest_unread() const;

 protected:
  enum control : std::uint8_t {
    paused = 1,
    cancelled = 2,
    ended = 4,
    held = 8,  ///< a retry waits for its time, or the sink is full
  };
  enum class progress {
    idle,     ///< read to its end; it will be made ready again
    more,     ///< the budget is used up
    stopped,  ///< must_stop, or the sink holds
    gone,     ///< its topic ended, or its older events are awaited; somebody else makes it ready again if need be
  };

  /// Called by the first make_ready since the reader rested. `by`: the topic whose writer it is, null for others.
  virtual void rung(topic_core* by) = 0;
  /// The handler threw for the entry at the cursor; called inside the catch clause. True: it is done with, go on behind
  /// it.
  virtual bool on_failure(const batch& at) = 0;
  /// It threw for a notice, which is not repeated; called inside the catch clause.
  virtual void on_notice_failure(cursor& at) = 0;
  /// overflow::disconnect acts.
  virtual void on_disconnect(cursor& at, sink& to) = 0;
  /// A topic of a literal reader has ended.
  virtual void on_finished(finish_reason why) = 0;

  /// One batch; false: the reader must stop.
  bool take(cursor& at, sink& to, const batch& entries, std::size_t& budget);
  /// The cursor has moved along the log: a topic that waits for it goes on.
  static void tell_room(cursor& at);
  /// A cursor that only counts: attached to no topic.
  std::shared_ptr<cursor> add_ledger(std::shared_ptr<topic_core> topic);
  /// Reads along one cursor, live events only before `horizon`.
  progress read(cursor& at, sink& to, std::size_t& budget, std::uint64_t horizon = cursor::unlimited);
  /// Reads along all ready cursors in turn. False: none is ready any more.
  bool read_all(sink& to, std::size_t budget);
  /// Reads what is there now along the cursors ready now; what is filtered costs no budget.
  void read_present(sink& to, std::size_t budget);
  /// Something was made ready since the last look; what anybody may ask, unlike has_ready.
  virtual bool has_news() const { return ready_.load(std::memory_order_relaxed) != nullptr; }
  bool has_ready() const { return first_local_ != nullptr || ready_.load(std::memory_order_relaxed) != nullptr; }
  void announce(cursor& at, sink& to, const notice& what);

  std::atomic<std::uint8_t> control_{0};
  doorbell bell_;
  std::weak_ptr<void> owner_;
  bool owned_ = false;

 private:
  bool lock_set_owner(std::shared_ptr<void>& alive);
  void collect_ready();
  cursor* pop_ready();
  void push_local(cursor& which);    // to the end of the line
  void return_local(cursor& which);  // to its head
  void ask_history(cursor& at);
  bool skip_to(std::uint64_t position, cursor& at, sink& to);
  std::optional<progress> come_to_rest(cursor& at, sink& to);
  void let_go(cursor& at);
  static totals account_of(const cursor& of, bool is_over);

  const std::shared_ptr<bus_core> bus_;
  const settings set_;
  const bool literal_;
  std::atomic<cursor*> ready_{nullptr};
  cursor* first_local_ = nullptr;
  cursor* last_local_ = nullptr;
  std::size_t filtered_ = 0;  ///< by `take`, since read_present last asked
  mutable std::mutex mutex_;  // guards what follows
  bool dropped_ = false;      ///< it has ended: no further cursors
  std::vector<std::shared_ptr<cursor>> cursors_;
  totals past_;
};

}  // namespace actorbus::core
