// Where messages of a sender are missing: each says by how much its sequence is above that of the one before it.
//
// Redis delivers what a connection publishes on a channel in order or not at all, and says nothing of what it refused;
// what was sent behind that may have got there. Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace actorbus::redis {

class sender_sequences {
 public:
  /// Senders of one channel that are remembered, those heard last.
  static constexpr std::size_t most = 256;

  /// The next message came. False: one that its sender sent between it and the last that came is missing.
  bool follows(std::uint64_t origin, std::uint64_t sequence, std::uint64_t step) {
    if (origin == 0 || sequence == 0) return true;  // not told; sequences begin at 1
    const auto known =
        std::find_if(last_.begin(), last_.end(), [origin](const last_of& each) { return each.origin == origin; });
    if (known == last_.end()) {
      if (last_.size() == most) last_.pop_back();
      last_.insert(last_.begin(), {origin, sequence});
      return true;
    }
    const bool result = step == 0 || known->sequence + step == sequence;
    known->sequence = sequence;
    std::rotate(last_.begin(), known, known + 1);
    return result;
  }

  /// Whatever is missing here has been told: each sender's next message is its first.
  void forget() { last_.clear(); }

 private:
  struct last_of {
    std::uint64_t origin;
    std::uint64_t sequence;
  };
  std::vector<last_of> last_;  ///< the one heard last first
};

}  // namespace actorbus::redis
