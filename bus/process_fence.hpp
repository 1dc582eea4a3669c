// A fence in all threads of the process at once, by the one that needs it seldom, so that the others, which would need
// it all the time, do without: an asymmetric fence.
//
// What they wrote before the fence is visible after it, and what they read afterwards is not older than what was
// visible before it. It is Linux' membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED, and costs microseconds. Threads:
// any.
#pragma once

namespace actorbus::core {

class process_fence {
 public:
  /// Linux since 4.14, unless a sandbox forbids it. Where it is false, everybody fences for himself.
  static bool is_available();

  /// Precondition: it is available.
  static void issue();
};

}  // namespace actorbus::core
