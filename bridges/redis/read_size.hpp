// How many entries a read asks for at once: few at first, for nobody knows how large they are, then more and more while
// they come in full and are small.
//
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>

namespace actorbus::redis {

class read_size {
 public:
  std::size_t get() const { return count_; }
  /// A read brought so many entries at most, of so many bytes in all.
  void came(std::size_t entries, std::size_t bytes) {
    if (entries >= count_ && bytes < most_bytes / 2) count_ = std::min(count_ * 2, most_count);
    if (bytes > most_bytes) count_ = std::max<std::size_t>(count_ / 2, 1);
  }

 private:
  static constexpr std::size_t least_count = 64;
  static constexpr std::size_t most_count = 1024;
  static constexpr std::size_t most_bytes = std::size_t{4} * 1024 * 1024;

  std::size_t count_ = least_count;
};

}  // namespace actorbus::redis
