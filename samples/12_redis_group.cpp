// A consumer group: two processes share a stream's events. What fails is delivered again, and in the end set aside as a
// dead letter; what a killed consumer had in hand goes to the others.
//
// Needs a redis-server on this machine, or where REDIS_URI says.
#include <chrono>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>

#include <bridges/json.hpp>
#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "process.hpp"

using namespace std::chrono_literals;

struct order {
  std::string customer;
  int amount;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, customer, amount)  // travels as JSON

void shop(const process::ready&) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "shop:"}};
  redis.stream<order>("orders.created", {.maxlen = 10'000});
  for (const order& each : {order{"Ann", 10}, order{"Bob", -1}, order{"Cleo", 30}}) {
    bus.topic<order>("orders.created").publish(each);
  }
  bus.close(5s);  // sends what is still to be sent
}

// Takes the first order, and is killed with it in hand.
void unlucky(const process::ready& ready) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "shop:"}};
  auto work = redis.consume<order>("orders.created",
                                   [&](const order& o) {
                                     std::cout << "b1 begins with " << o.customer << "'s order" << std::endl;
                                     ready();
                                     std::promise<void>().get_future().wait();
                                   },
                                   {.group = "billing", .consumer = "b1", .max_in_flight = 1});
  std::promise<void>().get_future().wait();
}

// Bills the rest: the killed one's order is claimed, a bad one fails three times and is set aside.
void lucky(const process::ready&) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "shop:"}};
  redis.stream<order>("orders.dead");
  std::promise<void> claimed, set_aside;
  auto dead = bus.topic<order>("orders.dead").subscribe([&](const actorbus::event<order>& e) {
    claimed.get_future().wait();  // so that it is printed last
    std::cout << "dead letter: " << e->customer << "'s order, after " << e.headers().get("dead_letter.attempts")
              << " attempts: " << e.headers().get("dead_letter.error") << std::endl;
    set_aside.set_value();
  });
  redis.wait_ready(5s);
  auto work = redis.consume<order>(
      "orders.created",
      [&](const actorbus::event<order>& e) {
        if (e->amount < 0) throw std::runtime_error("who owes whom?");
        const bool again = e.headers().contains("redis.deliveries");
        std::cout << "b2 bills " << e->customer << (again ? ", whose order was in b1's hands" : "") << std::endl;
        if (again) claimed.set_value();
      },
      {.group = "billing", .consumer = "b2", .max_deliveries = 3, .claim_after = 500ms, .dead_letter = "orders.dead"});
  set_aside.get_future().wait_for(10s);
}

int main() {
  { process first(shop); }
  {
    process second(unlucky);
    second.wait_until_ready();
    second.kill();
  }
  process third(lucky);
}
