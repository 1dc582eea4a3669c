// Waiting for replicas.
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("one that waits for replicas does not hold up the others, and is told when there are too few",
          "[redis][confirmed]") {
  const redis_server master;
  const redis_server replica({.replica_of = &master});
  REQUIRE(eventually([&] { return redis_client(replica).run("ROLE")[3].text() == "connected"; }));
  process a(master, {.command_timeout = 5s});
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  a.redis.stream<std::string>("x", {.deduplicate = deduplicate});
  auto one = a.redis.publish_confirmed("x", std::string("1"), {.replicas = 1});
  REQUIRE(one.wait_for(patience) == std::future_status::ready);
  CHECK(redis_client(replica).run("XLEN", "t:x").integer() == 1);
  CHECK_FALSE(error_of([&] { one.get(); }));
  auto two = a.redis.publish_confirmed("x", std::string("2"), {.within = 1h, .replicas = 2});
  a.bus.topic<std::string>("x").publish("3");
  REQUIRE(a.redis.flush(patience));
  auto three = a.redis.publish_confirmed("x", std::string("4"), {.within = 6s, .replicas = 2});  // not 5 s
  CHECK(error_of([&] { three.get(); }) == errc::timeout);
  CHECK(a.redis.stats().connections_lost == 0);
  CHECK(redis_client(master).run("XLEN", "t:x").integer() == 4);
  a.redis.close(1s);
  CHECK(error_of([&] { two.get(); }));
}
