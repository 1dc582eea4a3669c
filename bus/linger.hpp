// When whoever has nothing left to do waits a moment for the next event instead of going to rest, and how.
//
// A rest costs whoever ends it a system call, and the event some tens of microseconds. So it pays where the next event
// is expected at once. Threads: its owner's alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

#include <bus/engine.hpp>

namespace actorbus::core {

class linger {
 public:
  using time_point = engine::time_point;

  /// A look at what was there took `events`, all of it, at `now`: are further ones expected within half the time that
  /// one lingers, if they come as these came since the look before?
  void took(std::size_t events, time_point now) {
    expects_ = events != 0 && now - std::exchange(last_, now) < static_cast<int>(events) * (step * looks / 2);
  }
  /// It could not take all there was.
  void fell_behind() { expects_ = false; }

  bool expects_more() const { return expects_; }

  /// Looks again and again for a while. True: something is there.
  template <class Look>
  bool wait(engine& by, Look is_there) {
    if (!expects_) return false;
    for (int i = 0; i < looks && by.may_linger(); ++i) {
      // Not at once: what is taken often is taken in small batches, whose counters travel between processors. Yielding,
      // on a machine with few of them, lets those run that it waits for, or that wait for it.
      const auto until = by.now() + step;
      do std::this_thread::yield();
      while (by.now() < until);
      if (is_there()) return true;
    }
    return false;
  }

 private:
  static constexpr std::chrono::microseconds step{3};
  static constexpr int looks = 4;

  time_point last_{};
  bool expects_ = false;
};

}  // namespace actorbus::core
