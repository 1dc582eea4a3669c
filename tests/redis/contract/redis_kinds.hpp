// The kinds of delivery between two buses that a redis-server joins, each with a bridge of its own.
//
// Each run has a server of its own, which the suite kills and starts again.
#pragma once

#include "tests/contract/delivery_kind.hpp"

namespace actorbus::contract {

/// At most once.
struct redis_pubsub {
  static delivery_kind kind();
};

/// Streams that every process reads, with de-duplication.
struct redis_stream {
  static delivery_kind kind();
};
/// Streams as they are by default: at least once, and an event that comes again does not say so.
struct redis_plain_stream {
  static delivery_kind kind();
};
/// Streams with de-duplication, where subscribers ask for what is older than their process: such events have no
/// sequence.
struct redis_stream_with_history {
  static delivery_kind kind();
};

/// Consumer groups of streams with de-duplication.
struct redis_group {
  static delivery_kind kind();
};

/// All there are.
std::vector<delivery_kind> redis_kinds();

}  // namespace actorbus::contract
