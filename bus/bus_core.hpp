// The bus behind its handle: what topics and readers share, the registry, and the way everything ends.
//
// Threads: any. Lock order: registry, then a group, then a topic or a reader.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include <bus/callbacks.hpp>
#include <bus/engine.hpp>
#include <bus/options.hpp>
#include <bus/registry.hpp>
#include <bus/snapshot.hpp>
#include <bus/timers.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::core {

class group;
class group_member;
class history_source_base;
class reader;
struct shared_event;
class topic_core;
struct topic_identity;

class bus_core : public std::enable_shared_from_this<bus_core> {
 public:
  bus_core(std::shared_ptr<actorbus::engine> engine, bus_options options);
  ~bus_core();

  actorbus::engine& engine() const { return *engine_; }
  const bus_options& options() const { return options_; }
  registry& topics() { return topics_; }
  registry& requests() { return requests_; }

  void report_failure(const std::string& where, const std::exception_ptr& error);
  /// For bridges: a line in the bus's log.
  void warn(const std::string& what);
  timers::handle later(std::chrono::nanoseconds delay, std::function<void()> callback);
  /// Calls it on a worker, as a handler.
  void post(std::function<void()> callback);
  bool forget_timer(const timers::handle& which) { return timers_->cancel(which); }

  // Readers.

  /// Throws errc::closed once the bus closes.
  void require_open(const char* what) const;
  void add_reader(std::shared_ptr<reader> who);
  void forget(const reader& who);
  void retire(topic_core& which);

  /// Finds a group or makes it; joins. Serialised with leaving, so that a group that ends is not joined.
  void join_group(const std::string& id, const std::function<std::shared_ptr<group>()>& make,
                  const std::function<void(group&, bool is_new)>& join);
  void leave_group(const std::shared_ptr<group>& which, const group_member& who, std::vector<shared_event> unfinished);

  // Extension points.

  std::uint64_t add_on_closing(std::function<void(std::chrono::nanoseconds)> hook);
  /// Outside handlers it waits for the hook, should it run: then its owner may go.
  void remove_on_closing(std::uint64_t id);
  /// `make` gives a topic its source.
  using history_maker = std::function<std::shared_ptr<history_source_base>(std::shared_ptr<topic_identity>)>;
  std::uint64_t add_history_source(std::string pattern, std::type_index type, history_maker make);
  void remove_history_source(std::uint64_t id);
  /// The one added last for a pattern that covers the topic; null: there is none.
  std::shared_ptr<history_source_base> history_source_of(const topic_core& topic) const;

  // The end, and looking.

  bool is_closing() const { return state_.load(std::memory_order_acquire) != state::open; }
  /// Closing has begun to end readers, whether they have handled everything or not. Acquire, partner of the store
  /// before the first of them ends: who has seen one ended by force, and asks then, is told.
  bool ends_readers() const { return ends_readers_.load(std::memory_order_acquire); }
  bool is_closed() const { return state_.load(std::memory_order_acquire) == state::closed; }
  bool flush(std::chrono::nanoseconds within);
  close_report close(std::chrono::nanoseconds within, bool drains);
  /// Waits for handlers still running; nothing runs afterwards.
  void stop();
  bus_snapshot snapshot() const;

  /// One redrive at a time.
  std::mutex redriving;
  /// Outstanding requests, their number and what became of replies that came too late.
  std::atomic<std::size_t> pending_requests{0};
  std::atomic<std::uint64_t> late_replies{0};

 private:
  enum class state : std::uint8_t { open, closing, closed };

  std::vector<std::shared_ptr<topic_core>> all_topics() const;
  std::vector<std::shared_ptr<reader>> all_readers() const;
  std::vector<std::shared_ptr<reader>> readers_alive() const;  // under the mutex
  /// Everything accepted was handled, at one moment.
  bool is_quiet() const;
  bool looks_quiet() const;
  /// A group has read to the end of its topics, and its members have not handled all of it.
  bool groups_have_rests() const;
  std::uint64_t appended() const;
  void run_closing_hooks(engine::time_point deadline);
  subscription_snapshot describe(const reader& r) const;
  /// `left`: the readers that had to be ended.
  close_report account(bool drained, const std::vector<std::shared_ptr<reader>>& left) const;
  /// False: not every handler came to its end in time.
  bool read_to_the_end(engine::time_point deadline);

  const std::shared_ptr<actorbus::engine> engine_;
  const bus_options options_;
  std::shared_ptr<spdlog::logger> logger_;
  std::shared_ptr<timers> timers_;
  std::shared_ptr<callbacks> callbacks_;
  registry topics_;
  registry requests_;
  std::atomic<state> state_{state::open};
  std::atomic<bool> ends_readers_{false};
  std::recursive_mutex joining_;  // guards groups_; taken again by a member that leaves while a group ends
  std::unordered_map<std::string, std::shared_ptr<group>> groups_;
  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<const reader*, std::weak_ptr<reader>> readers_;
  std::vector<std::pair<std::uint64_t, std::function<void(std::chrono::nanoseconds)>>> closing_hooks_;
  struct pattern_history {
    std::uint64_t id;
    std::string pattern;
    std::type_index type;
    history_maker make;
  };
  std::vector<pattern_history> histories_;
  std::uint64_t next_hook_ = 1;
  std::uint64_t running_hook_ = 0;
  close_report report_;
  account_totals former_;  ///< of readers and topics that are gone
  wait_point closed_point_;
};

}  // namespace actorbus::core
