#include "tests/redis/client.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("a reply is what the server said, of its type", "[redis_client]") {
  const redis_server server;
  redis_client client(server);
  CHECK(client.run("SET", "key", "value").type() == redis_reply::kind::status);
  CHECK(client.run("GET", "key").text() == "value");
  CHECK(client.run("GET", "none").is_nil());
  CHECK(client.run("INCRBY", "n", 41).integer() == 41);
  client.run("RPUSH", "list", "a", "b");
  CHECK(client.run("LRANGE", "list", 0, -1).texts() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("words and replies may hold any bytes", "[redis_client]") {
  const redis_server server;
  redis_client client(server);
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  client.run("SET", bytes, bytes + bytes);
  CHECK(client.run("GET", bytes).text() == bytes + bytes);
  client.run("SET", "", "");
  CHECK(client.run("GET", "").text().empty());
}

TEST_CASE("an error of the server is thrown with its text, and the connection goes on", "[redis_client]") {
  const redis_server server;
  redis_client client(server);
  client.run("SET", "key", "value");
  CHECK_THROWS_WITH(client.run("XADD", "key", "*", "a", "b"), Catch::Matchers::Contains("WRONGTYPE"));
  CHECK(client.run("GET", "key").text() == "value");
}

TEST_CASE("an error inside a transaction is an element of its reply", "[redis_client]") {
  const redis_server server;
  redis_client client(server);
  client.run("SET", "key", "value");
  client.run("MULTI");
  client.run("INCR", "key");
  client.run("GET", "key");
  const redis_reply all = client.run("EXEC");
  REQUIRE(all.size() == 2);
  CHECK(all[0].type() == redis_reply::kind::error);
  CHECK(all[1].text() == "value");
}

TEST_CASE("a reply that is asked for what it is not says what it is", "[redis_client]") {
  const redis_server server;
  redis_client client(server);
  CHECK_THROWS_WITH(client.run("PING").integer(), "the reply is no integer but \"PONG\"");
  CHECK_THROWS_WITH(client.run("GET", "none").text(), "the reply is no text but nil");
  CHECK(client.run("TIME").describe().front() == '[');
}

TEST_CASE("replies of a pipeline come in order, and what a subscription brings behind them", "[redis_client]") {
  const redis_server server;
  redis_client client(server), other(server);
  for (int i = 0; i < 100; ++i) client.send({"ECHO", std::to_string(i)});
  for (int i = 0; i < 100; ++i) CHECK(client.read().text() == std::to_string(i));
  client.run("SUBSCRIBE", "news");
  CHECK_FALSE(client.read_within(1ms));
  CHECK(other.run("PUBLISH", "news", "hello").integer() == 1);
  CHECK(client.read().texts() == std::vector<std::string>{"message", "news", "hello"});
}

TEST_CASE("a connection that ends is an exception, not a reply", "[redis_client]") {
  redis_server server;
  redis_client client(server);
  server.kill();
  CHECK_THROWS_AS(client.run("PING"), std::runtime_error);
}
