// Buffers whose memory is used again, unless one large event has made them large. Threads: any.
#pragma once

#include <cstddef>
#include <string>

namespace actorbus::redis {

inline constexpr std::size_t most_reused = std::size_t{1024} * 1024;

/// Empties it; gives its memory back if that is much.
inline void empty_for_reuse(std::string& buffer) {
  if (buffer.capacity() > most_reused) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace actorbus::redis
