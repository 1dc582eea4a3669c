#include "tests/redis/python_peer.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

std::string all_bytes() {
  std::string result;
  for (int i = 0; i < 256; ++i) result.push_back(static_cast<char>(i));
  return result;
}

}  // namespace

TEST_CASE("redis-py publishes, to channels and in any bytes", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  redis_client client(server);
  client.run("SUBSCRIBE", "news");
  CHECK(peer.publish("news", "hello") == 1);
  CHECK(client.read().texts() == std::vector<std::string>{"message", "news", "hello"});
  CHECK(peer.publish("news", all_bytes()) == 1);
  CHECK(client.read()[2].text() == all_bytes());
  CHECK(peer.publish("nobody", "") == 0);
  peer.publish_all("news", {"a", "b", "c"});
  for (const char* each : {"a", "b", "c"}) CHECK(client.read()[2].text() == each);
}

TEST_CASE("redis-py receives by channel and by pattern what is published", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  redis_client client(server);
  peer.subscribe({"news"}, {"orders.*"});
  client.run("PUBLISH", "news", all_bytes());
  client.run("PUBLISH", "orders.new", "1");
  client.run("PUBLISH", "other", "2");
  client.run("PUBLISH", "news", "");
  const std::vector<python_peer::message> expected{
      {"", "news", all_bytes()}, {"orders.*", "orders.new", "1"}, {"", "news", ""}};
  CHECK(peer.messages(3) == expected);
}

TEST_CASE("redis-py waits no longer for messages than it is told", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  peer.subscribe({"news"});
  peer.publish("news", "1");
  CHECK(peer.messages(2, 200ms).size() == 1);
}

TEST_CASE("redis-py writes and reads a stream's entries, fields in their order", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  redis_client client(server);
  const std::string id = peer.xadd("stream", {{"z", "1"}, {"a", all_bytes()}});
  const redis_reply seen = client.run("XRANGE", "stream", "-", "+");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0][0].text() == id);
  CHECK(seen[0][1].texts() == std::vector<std::string>{"z", "1", "a", all_bytes()});

  client.run("XADD", "stream", "*", "data", "hello");
  const auto entries = peer.xread("stream", "0", 10);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].values == python_peer::fields{{"z", "1"}, {"a", all_bytes()}});
  CHECK(entries[1]["data"] == "hello");
  CHECK_THROWS_AS(entries[1]["channel"], std::out_of_range);
  CHECK(peer.xread("stream", entries[1].id, 10, 1ms).empty());
}

TEST_CASE("redis-py trims a stream where it is told to", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  for (int i = 0; i < 5; ++i) peer.xadd("stream", {{"n", "1"}}, {{"maxlen", 2}, {"approximate", false}});
  CHECK(redis_client(server).run("XLEN", "stream").integer() == 2);
}

TEST_CASE("redis-py is a consumer of a group, and acknowledges", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  redis_client client(server);
  client.run("XGROUP", "CREATE", "stream", "billing", "0", "MKSTREAM");
  client.run("XADD", "stream", "*", "data", "hello");
  const auto entries = peer.xreadgroup("stream", "billing", "b1", 10);
  REQUIRE(entries.size() == 1);
  CHECK(client.run("XPENDING", "stream", "billing")[0].integer() == 1);
  CHECK(peer.xack("stream", "billing", entries[0].id) == 1);
  CHECK(client.run("XPENDING", "stream", "billing")[0].integer() == 0);
}

TEST_CASE("redis-py's errors are exceptions, and it goes on", "[python_peer]") {
  const redis_server server;
  python_peer peer(server);
  redis_client(server).run("SET", "key", "value");
  CHECK_THROWS_WITH(peer.xadd("key", {{"a", "b"}}), Catch::Matchers::Contains("WRONGTYPE"));
  CHECK_THROWS_WITH(peer.call("no_such_method"), Catch::Matchers::Contains("AttributeError"));
  CHECK(peer.call("get", {"key"}) == "value");
}

TEST_CASE("redis-py logs in where the server has a password", "[python_peer]") {
  const redis_server server({.password = "hidden"});
  python_peer peer(server);
  CHECK(peer.call("set", {"key", 5}, {{"ex", 100}}) == true);
  CHECK(redis_client(server).run("GET", "key").text() == "5");
}
