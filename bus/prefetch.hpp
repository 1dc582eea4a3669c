// Asks for a cache line before it is written, so that the store finds it there.
#pragma once

namespace actorbus::core {

inline void prefetch_for_write(const void* at) {
#if defined(__x86_64__)
  // Not __builtin_prefetch: for a plain x86-64 target that asks for a line to read, and the store waits all the same.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace actorbus::core
