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

/// All there are.
std::vector<delivery_kind> redis_kinds();

}  // namespace actorbus::contract
