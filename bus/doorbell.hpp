// Who may run, and who must wake: the flag beside a topic's lanes and beside a reader's ready list.
//
// Work is made visible first (a lane's push, a stored log end), then the bell is rung. The owner empties its work, goes
// to rest, and looks once more. `ring` and `rest` each put a seq_cst fence between their store and their load, so that
// of a ringer and a resting owner at least one sees the other: a wake-up cannot be lost. The fences order only who
// wakes whom; what the work says travels by the release and acquire of the work's own atomics.
//
// States: idle -> rung -> running -> idle, and `stalled`: running ended with work left that cannot be done before
// somebody makes room, so that more work rings nothing. Threads: ring and take from any thread; rest and stall by
// whoever took.
#pragma once

#include <atomic>
#include <cstdint>

namespace actorbus::core {

class doorbell {
 public:
  /// After new data was made visible. True: the caller wakes the owner.
  bool ring() {
    // Partner: the fence in rest(). Either this load sees `idle`, or the owner's second look sees the data.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return is_idle() && change(state::idle, state::rung);
  }

  /// The same without the fence, for one whose partner issues a process_fence before it rests.
  bool ring_unfenced() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return is_idle() && change(state::idle, state::rung);
  }

  /// After room, a control message or a cancellation was made visible: wakes a stalled owner too.
  bool ring_out() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return change(state::idle, state::rung) || change(state::stalled, state::rung);
  }

  /// The right to run, for the activity that was woken. Acquire, the partner of rest's release: the last run's writes.
  bool begin() { return change(state::rung, state::running); }

  /// The right to run, for anybody who finds nobody running. False: somebody runs.
  bool take() {
    state now = state_.load(std::memory_order_relaxed);
    while (now != state::running) {
      if (state_.compare_exchange_weak(now, state::running, std::memory_order_acq_rel, std::memory_order_relaxed))
        return true;
    }
    return false;
  }

  /// The right to run, if there was nothing to do.
  bool take_idle() { return is_idle() && change(state::idle, state::running); }

  /// Gives the right back. The caller looks for work once more afterwards and rings if there is some.
  void rest() {
    state_.store(state::idle, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  /// Gives it back although work is left. The caller looks once more for room and calls ring_out if there is some.
  void stall() {
    state_.store(state::stalled, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  /// Keeps the right, to run again in another slice.
  void again() { state_.store(state::rung, std::memory_order_release); }

  bool is_idle() const { return state_.load(std::memory_order_relaxed) == state::idle; }
  bool is_stalled() const { return state_.load(std::memory_order_relaxed) == state::stalled; }
  bool is_running() const { return state_.load(std::memory_order_acquire) == state::running; }

 private:
  enum class state : std::uint8_t { idle, rung, running, stalled };

  /// acq_rel: acquires what the last owner wrote, and lets the next one acquire what was written before the ring.
  bool change(state from, state to) {
    return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_relaxed);
  }

  std::atomic<state> state_{state::idle};
};

}  // namespace actorbus::core
