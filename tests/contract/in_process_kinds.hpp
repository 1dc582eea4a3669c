// The kinds of delivery inside one process: a handler under each run_on, and an inbox that a thread drains; each on
// topics with history and without.
#pragma once

#include "tests/contract/delivery_kind.hpp"

namespace actorbus::contract {

struct pool_handlers {
  static delivery_kind kind();
};
struct pool_handlers_with_history {
  static delivery_kind kind();
};
struct topic_handlers {
  static delivery_kind kind();
};
struct topic_handlers_with_history {
  static delivery_kind kind();
};
struct own_thread_handlers {
  static delivery_kind kind();
};
struct own_thread_handlers_with_history {
  static delivery_kind kind();
};
struct drained_inboxes {
  static delivery_kind kind();
};
struct drained_inboxes_with_history {
  static delivery_kind kind();
};

/// All of the above.
std::vector<delivery_kind> in_process_kinds();

}  // namespace actorbus::contract
