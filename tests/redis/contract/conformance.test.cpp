// The conformance suite for every kind of delivery by a Redis bridge.
#include "tests/redis/contract/redis_kinds.hpp"

using namespace actorbus::contract;

#define ACTORBUS_DELIVERY_KINDS redis_pubsub, redis_stream, redis_plain_stream, redis_stream_with_history, redis_group

#include "tests/contract/conformance.hpp"

TEST_CASE("every kind of delivery by Redis reconnects", "[conformance]") {
  for (const auto& each : redis_kinds()) {
    INFO(each.name);
    CHECK(each.can.reconnect);
  }
}
