// The place of one activity in an engine: whether it is to be run, who may run it, and whether it may still be.
//
// Threads: wake, wake_at and close from any; run by the slot's actor alone. Ownership: the waker and the actor share
// the slot; the slot holds the actor until it is closed. After closing, the last one inside lets go of the actor and
// leaves the engine's list, so that nothing of the slot touches the actor system once the list is empty.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include <actors/activity_actor.hpp>
#include <bus/engine.hpp>

namespace actorbus::actors {

struct activity_host;
class open_slots;

class activity_slot : public std::enable_shared_from_this<activity_slot> {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  activity_slot(activity_host& host, std::weak_ptr<activity> what, placement where);
  activity_slot(const activity_slot&) = delete;
  activity_slot& operator=(const activity_slot&) = delete;

  /// Joins the engine's list; starts an actor that needs a thread. Throws std::system_error if there is no thread.
  void open();

  /// See waker. The first wake starts the actor.
  void wake();
  void wake_next();
  void wake_at(time_point when);

  /// No slice begins any more. Never waits: one that runs goes on to its end.
  void close() noexcept;

  /// One slice. True: there is more to do, the actor rings itself. False: from here on other threads may run it.
  bool run();

  /// Behind it: what its slice handed over to this thread.
  static void run_next();

 private:
  friend class open_slots;

  // The state is one word, so that each change is one atomic step.
  using word = std::uint32_t;
  static constexpr word pending = 1;    // a wake that no slice has begun to answer
  static constexpr word busy = 2;       // the actor was rung and has not come to rest; who sets it rings
  static constexpr word closed = 4;     // for good
  static constexpr word one_guest = 8;  // the rest counts who is inside: a wake, an alarm being set, a slice

  bool enter();
  void leave() noexcept;
  bool rise();
  void ring();
  bool slice();
  bool begin_slice();
  bool end_slice(bool more);
  void finish() noexcept;
  void count_awake(int more);

  std::atomic<word> word_{0};
  const placement where_;
  activity_host* const host_;
  const std::weak_ptr<activity> activity_;
  const std::shared_ptr<std::atomic<int>> awake_;  // the host's, which it may outlive; null on a thread of its own
  activity_actor_ptr actor_;  // written by open, by the one who set busy, and by the last one inside
  activity_slot* previous_ = nullptr;
  activity_slot* next_ = nullptr;
};

}  // namespace actorbus::actors
