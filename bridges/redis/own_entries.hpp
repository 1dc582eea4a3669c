// Which entries of a stream this bridge added, for formats that have no room for an origin.
//
// Of what one call of the script added the id of the last is known; the others stand right before it. The newest are
// kept, as many as a topic's log may still have. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <bridges/redis/stream_id.hpp>

namespace actorbus::redis {

class own_entries {
 public:
  static constexpr std::size_t most = 65536;

  /// Sequences of entries that follow each other, and the id of the last.
  void add(const stream_id& last, std::vector<std::uint64_t> sequences) {
    const std::size_t count = sequences.size();
    if (by_last_.emplace(last, std::move(sequences)).second) kept_ += count;
    for (; kept_ > most; by_last_.erase(by_last_.begin())) kept_ -= by_last_.begin()->second.size();
  }
  /// By the id of their last.
  const std::map<stream_id, std::vector<std::uint64_t>>& all() const { return by_last_; }

 private:
  std::map<stream_id, std::vector<std::uint64_t>> by_last_;
  std::size_t kept_ = 0;
};

}  // namespace actorbus::redis
