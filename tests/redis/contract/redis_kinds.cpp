#include "tests/redis/contract/redis_kinds.hpp"

#include "tests/redis/contract/bridged_sides.hpp"
#include "tests/redis/contract/grouped_sides.hpp"
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

/// `at_once`: the streams are found by their pattern, and read from their beginning without a replay's `caught_up`,
/// which would take a sequence. Else each is read from where its first subscription finds it.
delivery_kind by_stream(std::string name, features can, bool at_once, bool deduplicate = true) {
  return between_buses(
      std::move(name), can, deduplicate ? guarantee::exactly_once : guarantee::at_least_once,
      [deduplicate](redis::bridge& bridge, const std::string& topics) {
        bridge.stream<parcel>(
            topics, {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = deduplicate});
      },
      {[](redis::bridge& bridge, const std::string& topics) {
         bridge.stream<parcel>(topics, {.direction = redis::direction::in});
       },
       at_once, at_once});
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

delivery_kind redis_stream::kind() { return by_stream("Redis streams", {.total_order = true, .drains = true}, true); }

delivery_kind redis_plain_stream::kind() {
  delivery_kind by =
      by_stream("Redis streams without de-duplication", {.total_order = true, .drains = true}, true, false);
  by.came_again = [](const event<parcel>&) { return true; };  // any may have been sent twice
  return by;
}

delivery_kind redis_stream_with_history::kind() {
  return by_stream("Redis streams with history", {.history = true}, false);
}

delivery_kind redis_group::kind() {
  delivery_kind by = redis_stream::kind();
  by.name = "Redis consumer groups";
  // Not in order where an event is retried, and without sequences.
  by.can.retry = by.can.total_order = false;
  by.can.history = true;
  by.open_subscriber_side = [](const std::shared_ptr<publisher_side>& from) {
    return std::make_shared<grouped_subscriber_side>(from);
  };
  by.promises = guarantee::at_least_once;
  by.came_again = [](const event<parcel>& e) { return e.headers().contains(redis::deliveries_header); };
  return by;
}

std::vector<delivery_kind> redis_kinds() {
  return {redis_pubsub::kind(), redis_stream::kind(), redis_plain_stream::kind(), redis_stream_with_history::kind(),
          redis_group::kind()};
}

}  // namespace actorbus::contract
