#include "tests/redis/contract/redis_kinds.hpp"

#include "tests/redis/contract/bridged_sides.hpp"
#include "tests/redis/contract/parcel_codec.hpp"

namespace actorbus::contract {

namespace {

constexpr const char* every_topic = "conformance.>";
constexpr std::size_t room_for_all = 1 << 20;  // a cut-off that lasts costs nothing by itself

delivery_kind between_buses(std::string name, features can, guarantee promises, const routing& out, const routing& in) {
  can.reconnect = true;
  return {
      std::move(name), can, [out] { return std::make_shared<bridged_publisher_side>(out); },
      [in](const std::shared_ptr<publisher_side>& from) { return std::make_shared<bridged_subscriber_side>(from, in); },
      promises};
}

}  // namespace

delivery_kind redis_pubsub::kind() {
  return between_buses(
      "Redis pub/sub",
      {.groups = true, .retry = true, .blocking = true, .isolation = true, .total_order = true, .drains = true},
      guarantee::at_most_once,
      [](redis::bridge& bridge) {
        bridge.pubsub<parcel>(every_topic, {.direction = redis::direction::out, .overflow = overflow::block});
      },
      [](redis::bridge& bridge) {
        bridge.pubsub<parcel>(every_topic, {.direction = redis::direction::in, .capacity = room_for_all});
      });
}

std::vector<delivery_kind> redis_kinds() { return {redis_pubsub::kind()}; }

}  // namespace actorbus::contract
