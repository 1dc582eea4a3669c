// An engine that a test drives by hand: nothing runs, and no time passes, until the test says so.
//
// Threads: the thread that made it drives it: `run`, `step`, `advance`, `set_wall` and `wait` belong to that thread and
// are a std::logic_error elsewhere. Adding, waking and reading the clocks are open to any thread. An activity placed on
// a thread of its own runs on the driving thread like all others.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

#include <bus/engine.hpp>

namespace actorbus {

class manual_engine final : public engine {
 public:
  using wall_point = std::chrono::system_clock::time_point;

  manual_engine();
  ~manual_engine() override;
  manual_engine(const manual_engine&) = delete;
  manual_engine& operator=(const manual_engine&) = delete;

  /// Runs what is awake, in the order of the wakes, one slice at a time, until nothing is. Returns the number of
  /// slices. Throws std::logic_error after `guard` slices: then some activity never comes to rest.
  std::size_t run(std::size_t guard = default_guard);

  /// Runs one slice of the activity that was woken first. False: nothing is awake.
  bool step();

  /// Lets `by` pass on both clocks: runs what is awake, then goes from one `wake_at` to the next, in the order of their
  /// times, running at each instant what it woke. Returns the number of slices.
  std::size_t advance(std::chrono::nanoseconds by);

  /// Sets the clock of events. The clock of deadlines stays: this is an operator correcting the date.
  void set_wall(wall_point to);

  std::unique_ptr<waker> add(std::weak_ptr<activity> what, placement where) override;
  time_point now() const override;
  wall_point wall_now() const override;

  /// Runs what is awake and lets time pass until `done()`, at most to `deadline`; `at` is not used. May be called from
  /// within an activity, which is then not run again before it returned. Throws std::logic_error if `deadline` is
  /// time_point::max() and nothing is left that could make `done()` true.
  bool wait(core::wait_point& at, time_point deadline, const std::function<bool()>& done) override;

  void stop() override;

 private:
  class agenda;
  class manual_waker;

  void require_driver(const char* what) const;
  static constexpr std::size_t default_guard = 1'000'000;

  /// As run(), but no slice begins once the clock is past `end`.
  std::size_t run_before(time_point end, std::size_t guard);
  std::size_t run_until(time_point end);

  const std::shared_ptr<agenda> agenda_;  // shared with the wakers, which may outlive the engine
  const std::thread::id driver_ = std::this_thread::get_id();
};

}  // namespace actorbus
