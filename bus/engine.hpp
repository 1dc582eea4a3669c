// What a bus needs from whatever runs it: make an activity, wake it, run it later, tell the time.
//
// Two engines exist: one on CAF (actors/caf_engine.hpp is its face), and one that a test drives by hand
// (bus/manual_engine.hpp).
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace actorbus {

namespace core {
class wait_point;
}

/// Work that runs in slices, whenever it was woken, never twice at once.
class activity {
 public:
  virtual ~activity() = default;

  /// One bounded slice. True: more is waiting, run again after others had their turn. Never throws.
  virtual bool run() = 0;
};

/// Where an activity runs.
enum class placement {
  pool,        ///< on one of the engine's workers
  own_thread,  ///< on a thread of its own
};

/// The right to wake one activity. Threads: any call from any thread.
class waker {
 public:
  virtual ~waker() = default;

  /// Runs the activity soon. A wake during a slice leads to another slice.
  virtual void wake() = 0;

  /// The same, for the end of a slice: it may run behind that one on the same thread, and no other is woken for it.
  virtual void wake_next() { wake(); }

  /// Wakes it once `when` is reached. Earlier calls stay in force.
  virtual void wake_at(std::chrono::steady_clock::time_point when) = 0;
};

/// Runs activities. Threads: any call from any thread, except `stop`, which is called once, from outside every
/// activity.
class engine {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  virtual ~engine() = default;

  /// Registers `what`, which is run only while somebody else keeps it alive. Destroying the waker before or while the
  /// activity runs is allowed. After `stop` the waker does nothing.
  virtual std::unique_ptr<waker> add(std::weak_ptr<activity> what, placement where) = 0;

  /// The clock of deadlines and delays.
  virtual time_point now() const = 0;

  /// The clock of events.
  virtual std::chrono::system_clock::time_point wall_now() const = 0;

  /// More activities of the pool are awake than it has workers: what is woken now waits behind them.
  virtual bool is_crowded() const { return false; }

  /// An activity that has nothing to do may hold its worker for a moment: nobody waits for it, and time passes
  /// meanwhile.
  virtual bool may_linger() const { return false; }

  /// Blocks the calling thread until `done()` or `deadline`; returns the last `done()`. Whoever makes `done` true
  /// notifies `at`. The manual engine runs activities and advances its clock meanwhile.
  virtual bool wait(core::wait_point& at, time_point deadline, const std::function<bool()>& done) = 0;

  /// Returns when no slice runs; none begins afterwards.
  virtual void stop() = 0;
};

}  // namespace actorbus
