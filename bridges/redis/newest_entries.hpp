// How many events the newest entries of a stream hold, as far as this bridge added them: the server trims by entries,
// and `maxlen` counts events.
//
// What the entries before them hold is not known, one event at least: so none too few are kept. Entries that others
// add meanwhile are taken to be like ours. Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace actorbus::redis {

class newest_entries {
 public:
  /// Neighbours of one size are kept as one; of more changes than this the oldest are forgotten.
  static constexpr std::size_t most_runs = 8192;

  /// One more, of at least one event. Returns how many of the newest entries, with this one, hold `wanted` events.
  std::uint64_t add(std::size_t events, std::uint64_t wanted) {
    if (runs_.empty() || runs_.back().events != events) runs_.push_back({events, 0});
    ++runs_.back().entries;
    ++entries_;
    events_ += events;
    while (events_ > wanted) {
      run& oldest = runs_.front();
      const std::uint64_t needless = std::min<std::uint64_t>(oldest.entries, (events_ - wanted) / oldest.events);
      forget(needless);
      if (oldest.entries != 0) break;
      runs_.pop_front();
    }
    if (runs_.size() > most_runs) {
      forget(runs_.front().entries);
      runs_.pop_front();
    }
    return entries_ + (wanted - std::min(wanted, events_));
  }

  /// Some may not be in the stream.
  void forget() {
    runs_.clear();
    entries_ = events_ = 0;
  }

 private:
  struct run {
    std::uint64_t events;  ///< of each
    std::uint64_t entries;
  };
  /// So many of the oldest run.
  void forget(std::uint64_t entries) {
    runs_.front().entries -= entries;
    entries_ -= entries;
    events_ -= entries * runs_.front().events;
  }

  std::deque<run> runs_;                    ///< oldest first
  std::uint64_t entries_ = 0, events_ = 0;  ///< of all of them
};

}  // namespace actorbus::redis
