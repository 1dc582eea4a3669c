// Whether a group's consumer was told every loss: what was trimmed by its ids, since it may be told late; and that the
// stream was made anew, which stands for all of the old one that is missing.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <bridges/redis/stream_id.hpp>

namespace actorbus::testing {

class told_losses {
 public:
  /// An event of a publisher's came. Its publisher's events are in the stream in the order of their counters.
  void came(std::uint32_t publisher, std::uint64_t counter, redis::stream_id id);
  void trimmed(redis::stream_id first, redis::stream_id last) { ranges_.emplace_back(first, last); }
  void reset() { resets_.push_back(arrivals_); }
  std::size_t resets() const { return resets_.size(); }

  /// One line for each run of events of the publisher's, whose counters are 1 to `accepted`, that neither came nor may
  /// have been among what was told.
  std::string untold(std::uint32_t publisher, std::uint64_t accepted) const;

 private:
  struct arrival {
    redis::stream_id id = {};
    std::size_t number = 0;  ///< the how manieth of all it was
  };

  bool is_told(const arrival& before, const arrival& behind) const;

  std::map<std::pair<std::uint32_t, std::uint64_t>, arrival> came_;
  std::vector<std::pair<redis::stream_id, redis::stream_id>> ranges_;
  std::vector<std::size_t> resets_;  ///< how many had come before
  std::size_t arrivals_ = 0;
};

}  // namespace actorbus::testing
