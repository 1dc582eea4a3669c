#include "tests/redis/contract/redis_kinds.hpp"

#include "tests/redis/contract/bridged_sides.hpp"
#include "tests/redis/contract/parcel_codec.hpp"

namespace actorbus::contract {

namespace {

constexpr std::size_t room_for_all = 1 << 20;  // a cut-off that lasts costs nothing by itself

delivery_kind between_buses(std::string name, features can, guarantee promises, const routing& out,
                            const receiving& in) {
  can.retry = can.blocking = can.isolation = can.groups = can.reconnect = true;  // of the bus, but for the last
  return {
      std::move(name),
      can,
      [out] { return std::make_shared<bridged_publisher_side>(out); },
      [in](const std::shared_ptr<publisher_side>& from) { return std::make_shared<bridged_subscriber_side>(from, in); },
      promises,
      {},
      "redis."};
}

/// In: from where the first subscription of a topic begins.
delivery_kind by_stream(std::string name, features can, const replay& from) {
  return between_buses(std::move(name), can, guarantee::exactly_once,
                       [](redis::bridge& bridge, const std::string& topics) {
                         bridge.stream<parcel>(
                             topics,
                             {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = true});
                       },
                       {[from](redis::bridge& bridge, const std::string& topics) {
                          bridge.stream<parcel>(topics, {.from = from, .direction = redis::direction::in});
                        },
                        false, can.drains});
}

}  // namespace

delivery_kind redis_pubsub::kind() {
  return between_buses("Redis pub/sub", {.total_order = true, .drains = true}, guarantee::at_most_once,
                       [](redis::bridge& bridge, const std::string& topics) {
                         bridge.pubsub<parcel>(topics,
                                               {.direction = redis::direction::out, .overflow = overflow::block});
                       },
                       {[](redis::bridge& bridge, const std::string& topics) {
                          bridge.pubsub<parcel>(topics, {.direction = redis::direction::in, .capacity = room_for_all});
                        },
                        true, true});
}

delivery_kind redis_stream::kind() {
  return by_stream("Redis streams", {.total_order = true, .drains = true}, replay::all());
}

delivery_kind redis_stream_with_history::kind() {
  return by_stream("Redis streams with history", {.history = true}, replay::live());
}

std::vector<delivery_kind> redis_kinds() {
  return {redis_pubsub::kind(), redis_stream::kind(), redis_stream_with_history::kind()};
}

}  // namespace actorbus::contract
