// Every event that was accepted, found by publisher and counter, with the sequence its receivers saw.
//
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/contract/history.hpp"

namespace actorbus::contract {

class accepted_index {
 public:
  struct event {
    std::uint64_t counter, value;
    std::uint64_t sequence = 0;  ///< 0 until a subscriber received it with one
  };

  struct origin {
    std::string topic;
    std::vector<event> events;  ///< by counter

    /// The place of `counter` in `events`, or their number.
    std::size_t find(std::uint64_t counter) const {
      const auto at = std::lower_bound(events.begin(), events.end(), counter,
                                       [](const event& one, std::uint64_t other) { return one.counter < other; });
      const bool here = at != events.end() && at->counter == counter;
      return here ? static_cast<std::size_t>(at - events.begin()) : events.size();
    }
  };

  explicit accepted_index(const history& from) {
    for (const publisher_record& record : from.publishers()) {
      const auto [place, fresh] = origins_.try_emplace(record.id());
      if (!fresh) throw std::logic_error("publisher " + std::to_string(record.id()) + " is recorded twice");
      place->second.topic = record.topic();
      for (const auto& [counter, value] : record.events()) {
        auto& events = place->second.events;
        if (!events.empty() && events.back().counter >= counter) {
          throw std::logic_error("publisher " + std::to_string(record.id()) + ": its counters do not grow");
        }
        events.push_back({counter, value});
      }
    }
  }

  /// Null if there is no such publisher.
  origin* find(std::uint32_t publisher) {
    const auto found = origins_.find(publisher);
    return found == origins_.end() ? nullptr : &found->second;
  }

  const std::map<std::uint32_t, origin>& origins() const noexcept { return origins_; }

  /// The sequence of the last event of `topic`: the highest seen, or as many as there are.
  std::uint64_t last_sequence(const std::string& topic) const {
    std::uint64_t highest = 0, count = 0;
    for (const auto& [id, from] : origins_) {
      if (from.topic != topic) continue;
      count += from.events.size();
      for (const event& one : from.events) highest = std::max(highest, one.sequence);
    }
    return std::max(highest, count);
  }

 private:
  std::map<std::uint32_t, origin> origins_;
};

}  // namespace actorbus::contract
