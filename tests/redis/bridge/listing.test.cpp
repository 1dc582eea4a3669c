// The listing of a bridge's interface, as programs are written against it: it compiles, and does what it says.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <bridges/json.hpp>
#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/redis_server.hpp"

using namespace std::chrono_literals;

namespace listing {

struct order {
  std::string customer;
  int amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, customer, amount)

template <class... T>
void use(const T&...) {}

}  // namespace listing

using listing::order;
using listing::use;

TEST_CASE("the quick start of the bridge in the README compiles and does what it says", "[redis][listing]") {
  actorbus::testing::redis_server server;
  actorbus::bus bus;
  std::atomic<int> handled{0};
  const auto handle = [&](const order&) { ++handled; };

  actorbus::redis::bridge redis{bus, {.uri = server.uri(), .prefix = "app:"}};
  redis.pubsub<order>("orders.*");  // each orders.x is the channel app:orders.x, both ways
  redis.stream<order>("ledger", {.maxlen = 10'000, .from = actorbus::replay::last(100), .deduplicate = true});
  auto work = redis.consume<order>("jobs", handle, {.group = "billing", .concurrency = 4, .dead_letter = "jobs.dead"});
  redis.on_state([](const actorbus::redis::state& s) {
    use(s); /* connecting, ready, lost, closed */
  });

  redis.stream<order>("jobs", {.direction = actorbus::redis::direction::out});
  bus.topic<order>("jobs").publish({"Ann", 10});
  bus.topic<order>("ledger").publish({"Ann", 10});
  bus.topic<order>("orders.created").publish({"Ann", 10});
  REQUIRE(redis.flush(20s));
  CHECK(actorbus::testing::eventually([&] { return handled == 1; }));
  CHECK(redis.history<order>("ledger", 100).size() == 1);
}

TEST_CASE("the listing of the bridge compiles and does what it says", "[redis][listing]") {
  actorbus::testing::redis_server server;
  actorbus::bus bus;
  std::atomic<int> handled{0};
  const auto handler = [&](const order&) { ++handled; };

  actorbus::redis::bridge redis{bus, {.uri = server.uri(), .prefix = "app:"}};
  redis.pubsub<order>("orders.*");  // at most once, no history; both ways
  redis.stream<order>("orders.created", {.maxlen = 10'000,
                                         .ttl = 1h,  // history; at least once; both ways
                                         .from = actorbus::replay::last(100)});
  auto work = redis.consume<order>("orders.created", handler,
                                   {.group = "billing",
                                    .consumer = "b1",
                                    .max_in_flight = 64,
                                    .concurrency = 4,
                                    .max_deliveries = 5,
                                    .claim_after = 30s,
                                    .dead_letter = "orders.dead"});
  std::atomic<bool> ready{false};
  redis.on_state([&](const actorbus::redis::state& s) {
    use(s);
    if (s.phase == actorbus::redis::phase::ready) ready = true;
  });
  REQUIRE(redis.wait_ready(20s));
  CHECK(actorbus::testing::eventually([&] { return ready.load(); }));

  std::future<actorbus::redis::stream_id> id = redis.publish_confirmed("orders.created", order{"Ann", 10});
  CHECK(id.get().milliseconds > 0);
  CHECK(actorbus::testing::eventually([&] { return handled == 1; }));

  const std::vector<actorbus::event<order>> past = redis.history<order>("orders.created", 100);
  REQUIRE(past.size() == 1);
  CHECK(past[0]->customer == "Ann");
  CHECK(past[0]->amount == 10);

  CHECK(redis.flush_all() > 0);  // deletes the streams under the prefix
  CHECK(redis.history<order>("orders.created", 100).empty());
}
