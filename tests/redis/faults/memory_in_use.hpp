// How much this process has allocated and not freed: for tests that memory comes back.
//
// What the allocator keeps for itself does not count. Threads: any; other threads' allocations count too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/eventually.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ACTORBUS_SANITIZER_ALLOCATES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ACTORBUS_SANITIZER_ALLOCATES 1
#endif
#endif

#ifdef ACTORBUS_SANITIZER_ALLOCATES
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // g++ has it, and no header that declares it
#else
#include <malloc.h>
#endif

namespace actorbus::testing {

inline std::size_t memory_in_use() {
#ifdef ACTORBUS_SANITIZER_ALLOCATES
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto now = mallinfo2();
  return now.uordblks + now.hblkhd;
#endif
}

inline constexpr std::size_t mebibyte = std::size_t{1024} * 1024;

/// Whether all is given back since `before` but for what tests of that many events remember of them, and for what
/// buffers keep to be used again: a mebibyte a connection, of which two bridges have eight.
inline bool memory_is_back(std::size_t before, std::uint64_t events) {
  return eventually([&] { return memory_in_use() < before + 8 * mebibyte + 512 * events; });
}

}  // namespace actorbus::testing
