// What a stream keeps: by number, by age, by time to live.
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("entries older than max_age are trimmed with the next event, younger ones stay", "[redis][stream]") {
  const bool deduplicate = GENERATE(false, true);
  const auto format = GENERATE(redis::format::native, redis::format::packed);
  CAPTURE(deduplicate, redis::to_string(format));
  const redis_server server;
  redis_client client(server);
  const auto age = [](std::chrono::milliseconds ago) {
    return redis::stream_id::at(std::chrono::system_clock::now() - ago).to_string();
  };
  client.run("XADD", "t:x", age(3h), "data", "old");
  client.run("XADD", "t:x", age(61min), "data", "old");
  client.run("XADD", "t:x", age(30min), "data", "young");
  process a(server);
  a.redis.stream<std::string>(
      "x",
      {.direction = redis::direction::out, .format = format, .exact = true, .max_age = 1h, .deduplicate = deduplicate});
  a.bus.topic<std::string>("x").publish("new");
  REQUIRE(a.redis.flush(patience));
  const auto kept = client.run("XRANGE", "t:x", "-", "+");
  REQUIRE(kept.size() == 2);
  CHECK(kept[0][1][1].text() == "young");
}

TEST_CASE("trimming to the server's convenience keeps at least what was asked for", "[redis][stream]") {
  const bool by_age = GENERATE(false, true);
  CAPTURE(by_age);
  const redis_server server;
  redis_client client(server);
  process a(server);
  redis::stream_options with{.direction = redis::direction::out};
  if (by_age) {
    with.max_age = 1h;
  } else {
    with.maxlen = 1000;
  }
  a.redis.stream<std::string>("x", with);
  auto topic = a.bus.topic<std::string>("x");
  for (int i = 0; i < 3000; ++i) topic.publish(std::to_string(i));
  REQUIRE(a.redis.flush(patience));
  const auto kept = client.run("XLEN", "t:x").integer();
  CHECK(kept >= 1000);
  if (by_age) CHECK(kept == 3000);
}

TEST_CASE("a time to live that was not set with its event is set with the next connection", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  client.run("ACL", "SETUSER", "default", "-pexpire");
  process a(server);
  a.redis.stream<std::string>("x", {.ttl = 1h, .direction = redis::direction::out});
  a.bus.topic<std::string>("x").publish("1");
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] { return client.run("ACL", "LOG").size() > 0; }));
  CHECK(client.run("PTTL", "t:x").integer() == -1);
  client.run("ACL", "SETUSER", "default", "+pexpire");
  client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  CHECK(eventually([&] { return client.run("PTTL", "t:x").integer() > 0; }));
}
