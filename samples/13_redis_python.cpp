// The other side need not be a bus, nor C++: 13_redis_python.py writes to our topics with redis-py, and reads what we
// publish.
//
// Needs a redis-server on this machine, or where REDIS_URI says, and redis-py.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "process.hpp"

using namespace std::chrono_literals;

int main() {
  using actorbus::redis::direction;
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "shop:"}};
  redis.stream<std::string>("orders", {.direction = direction::in});  // XADD shop:orders * data ...
  redis.stream<std::string>("bills", {.maxlen = 100, .direction = direction::out});
  redis.pubsub<std::string>("shipped", {.direction = direction::out, .format = actorbus::redis::format::raw});
  redis.wait_ready(5s);

  auto bills = bus.topic<std::string>("bills");
  auto shipped = bus.topic<std::string>("shipped");
  auto orders = bus.topic<std::string>("orders").subscribe([&](const actorbus::event<std::string>& e) {
    std::cout << "bus: an order, " << *e << (e.headers().contains("redis.id") ? ", from Redis" : "") << std::endl;
    bills.publish("a bill for " + *e, {{"currency", "EUR"}});
    shipped.publish("one " + *e);
  });

  const int status = std::system(ACTORBUS_PYTHON3 " " ACTORBUS_SAMPLES "/13_redis_python.py");
  bus.close(5s);
  return status == 0 ? 0 : 1;
}
