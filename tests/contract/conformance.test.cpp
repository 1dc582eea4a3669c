// The conformance suite for every kind of delivery inside one process.
#include "tests/contract/in_process_kinds.hpp"

using namespace actorbus::contract;

#define ACTORBUS_DELIVERY_KINDS                                                                                \
  pool_handlers, pool_handlers_with_history, topic_handlers, topic_handlers_with_history, own_thread_handlers, \
      own_thread_handlers_with_history, drained_inboxes, drained_inboxes_with_history

#include "tests/contract/conformance.hpp"
