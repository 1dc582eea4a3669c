// What a bridge does for a caller that waits: confirmed publishes, several topics in one step, deletion.
#include <atomic>
#include <thread>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/bridge/sorted.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("publish_confirmed tells the id that the server gave, and publishes here too", "[redis][confirmed]") {
  const bool deduplicate = GENERATE(false, true);
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto in = a.bus.topic<std::string>("x").inbox();
  CHECK(error_of([&] { a.redis.publish_confirmed("x", std::string("1")); }) == errc::invalid_argument);
  a.redis.stream<std::string>("x", {.deduplicate = deduplicate});
  auto first = a.redis.publish_confirmed("x", std::string("1"));
  auto second = a.redis.publish_confirmed("x", std::string("2"));
  REQUIRE(second.wait_for(patience) == std::future_status::ready);
  const auto one = first.get();
  const auto two = second.get();
  CHECK(one < two);
  CHECK(client.run("XREVRANGE", "t:x", "+", "-")[0][0].text() == two.to_string());
  CHECK(client.run("XLEN", "t:x").integer() == 2);
  CHECK(read(in, 2) == lines{"1", "2"});
  client.run("DEL", "t:x");
  client.run("SET", "t:x", "no stream");
  auto refused = a.redis.publish_confirmed("x", std::string("3"));
  CHECK(error_of([&] { refused.get(); }) == errc::refused_by_server);
}

TEST_CASE("publish_confirmed while Redis is away fails in time, and with the bridge's end", "[redis][confirmed]") {
  redis_server server;
  process a(server);
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  server.kill();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s); }));
  auto late = a.redis.publish_confirmed("x", std::string("1"), {.within = 1ms});
  CHECK(error_of([&] { late.get(); }) == errc::timeout);
  auto cut = a.redis.publish_confirmed("x", std::string("1"));
  a.redis.close(0s);
  CHECK(error_of([&] { cut.get(); }) == errc::closed);
}

TEST_CASE("flush_all deletes what is under the prefix and nothing else, and refuses an empty one",
          "[redis][flush_all]") {
  const redis_server server;
  redis_client client(server);
  process a(server, {.prefix = "a*:"});
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 2500)) client.run("SET", "a*:" + each, each);
  client.run("SET", "ab:1", "other");
  CHECK(a.redis.flush_all() == 2500);
  CHECK(client.run("DBSIZE").integer() == 1);
  redis::bridge everything(a.bus, {.uri = server.uri()});
  CHECK(error_of([&] { everything.flush_all(); }) == errc::invalid_argument);
}

TEST_CASE("a confirmation that wants a replica waits for it, and holds up nothing that goes out",
          "[redis][confirmed]") {
  const redis_server server;
  redis_server replica({.replica_of = &server});
  redis_client client(server);
  REQUIRE(
      eventually([&] { return client.run("INFO", "replication").text().find("state=online") != std::string::npos; }));
  process a(server);
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  auto quick = a.redis.publish_confirmed("x", std::string("1"), {.within = patience, .replicas = 1});
  REQUIRE(quick.wait_for(patience) == std::future_status::ready);
  CHECK(quick.get() > redis::stream_id::min());
  replica.suspend();
  auto slow = a.redis.publish_confirmed("x", std::string("2"), {.within = 100ms, .replicas = 1});
  auto held = a.redis.publish_confirmed("x", std::string("3"), {.within = patience, .replicas = 1});
  auto plain = a.redis.publish_confirmed("x", std::string("4"));
  REQUIRE(plain.wait_for(patience) == std::future_status::ready);
  CHECK(error_of([&] { slow.get(); }) == errc::timeout);
  CHECK(a.redis.flush(patience));
  CHECK(eventually([&] { return a.redis.stats().in_use > 0; }));
  CHECK(held.wait_for(0s) == std::future_status::timeout);
  replica.resume();
  REQUIRE(held.wait_for(patience) == std::future_status::ready);
  CHECK(held.get() > redis::stream_id::min());
  REQUIRE(eventually([&] { return a.redis.stats().in_use == 0; }));
}

TEST_CASE("requests have connections of their own, a bounded number, lent in turn", "[redis][pool]") {
  const redis_server server;
  redis_client client(server);
  client.run("XADD", "t:x", "*", "data", "1");
  process a(server, {.pool = 2});
  REQUIRE(a.redis.wait_ready(patience));
  CHECK(a.redis.stats().available == 0);  // made when needed
  std::vector<std::thread> callers;
  std::atomic<int> answered{0};
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 20; ++j) answered += static_cast<int>(a.redis.history<std::string>("x", 1).size());
    });
  }
  for (auto& each : callers) each.join();
  CHECK(answered == 160);
  REQUIRE(eventually([&] { return a.redis.stats().in_use == 0; }));
  const auto after = a.redis.stats();
  CHECK(after.available >= 1);
  CHECK(after.available <= 2);
  CHECK(after.connections_made <= 3);
  client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  REQUIRE(eventually([&] { return a.redis.stats().available == 0; }));  // the dead are dropped
  REQUIRE(eventually([&] { return a.redis.wait_ready(patience); }));
  CHECK(a.redis.history<std::string>("x", 1).size() == 1);
  CHECK(error_of([&] { redis::bridge(a.bus, {.pool = 0}); }) == errc::invalid_argument);
}

TEST_CASE("publish_confirmed on a closed bridge fails at once", "[redis][confirmed]") {
  const redis_server server;
  process a(server);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out});
  a.redis.close(patience);
  CHECK(error_of([&] { a.redis.publish_confirmed("x", std::string("late")).get(); }) == errc::closed);
}
