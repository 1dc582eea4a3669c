#include <bus/process_fence.hpp>

#include <atomic>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace actorbus::core {

#if defined(__linux__) && defined(__NR_membarrier)

bool process_fence::is_available() {
  // The kernel wants to know once in a process who will ask.
  static const bool self = ::syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0;
  return self;
}

void process_fence::issue() { ::syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0); }

#else

bool process_fence::is_available() { return false; }

void process_fence::issue() { std::atomic_thread_fence(std::memory_order_seq_cst); }

#endif

}  // namespace actorbus::core
