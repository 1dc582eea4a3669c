#include "tests/redis/redis_cli.hpp"

#include "tests/catch.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;

TEST_CASE("redis-cli does what a user would type, and prints the answer", "[redis_cli]") {
  const redis_server server;
  redis_cli(server, {"XADD", "stream", "*", "data", "hello world"});
  CHECK(redis_client(server).run("XRANGE", "stream", "-", "+")[0][1][1].text() == "hello world");
  redis_cli(server, {"SET", "key", "value"});
  CHECK(redis_cli(server, {"GET", "key"}) == "value\n");
}

TEST_CASE("an error that redis-cli is told is an exception with its text", "[redis_cli]") {
  const redis_server server;
  redis_cli(server, {"SET", "key", "value"});
  CHECK_THROWS_WITH(redis_cli(server, {"XLEN", "key"}), Catch::Matchers::Contains("WRONGTYPE"));
}

TEST_CASE("redis-cli logs in where the server has a password", "[redis_cli]") {
  const redis_server server({.password = "hidden"});
  CHECK(redis_cli(server, {"PING"}) == "PONG\n");
}
