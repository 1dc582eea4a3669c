// Two processes share topics through Redis: what one publishes reaches the other's subscribers, both ways. Publish and
// subscribe is at most once: whoever is not there misses it.
//
// Needs a redis-server on this machine, or where REDIS_URI says.
#include <chrono>
#include <iostream>
#include <string>

#include <bridges/json.hpp>
#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "process.hpp"

using namespace std::chrono_literals;

struct order {
  std::string dish;
  int table;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, dish, table)  // travels as JSON

// The kitchen cooks what is ordered, until somebody orders nothing.
void kitchen(const process::ready& ready) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "restaurant:"}};
  redis.pubsub<order>("orders.*");
  redis.pubsub<std::string>("served.*");

  auto orders = bus.inbox<order>("orders.*");  // an ordinary inbox, and ordinary topics: the bridge is all there is
  redis.wait_ready(5s);
  ready();
  for (const auto& e : orders) {
    if (e->dish.empty()) break;
    std::cout << "kitchen: " << e->dish << " for table " << e->table << ", from " << e.topic() << std::endl;
    bus.topic<std::string>("served." + std::to_string(e->table)).publish(e->dish + ", hot");
  }
  bus.close(5s);  // sends what is still to be sent
}

// The waiter takes orders at two tables, and brings what is served.
void waiter(const process::ready&) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "restaurant:"}};
  redis.pubsub<order>("orders.*");
  redis.pubsub<std::string>("served.*");
  redis.on_state([](const actorbus::redis::state& s) {
    if (s.phase == actorbus::redis::phase::lost) std::cout << "waiter: no connection: " << s.reason << std::endl;
  });

  auto served = bus.inbox<std::string>("served.*");
  redis.wait_ready(5s);
  for (const order& each : {order{"soup", 1}, order{"fish", 2}, order{"cake", 1}}) {
    bus.topic<order>("orders.table" + std::to_string(each.table)).publish(each);
    if (const auto e = served.next(5s)) std::cout << "waiter: " << **e << ", by " << e->topic() << std::endl;
  }
  bus.topic<order>("orders.end").publish({});
  bus.close(5s);
}

int main() {
  process first(kitchen);
  first.wait_until_ready();  // or it would miss the first order
  process second(waiter);
}
