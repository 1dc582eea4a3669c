// Publish/subscribe beside a stream's route for the same topic, which carries it instead, in its direction.
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;

namespace {

using lines = std::vector<std::string>;

/// One that hears what is published on the two channels.
redis_client listening(const redis_server& server) {
  redis_client client(server);
  client.send({"SUBSCRIBE", "t:s.x", "t:s.y"});
  client.read();
  client.read();
  return client;
}

}  // namespace

TEST_CASE("a stream that only brings in leaves to pub/sub what goes out", "[redis][pubsub][routes]") {
  const redis_server server;
  auto client = listening(server);
  process a(server);
  a.redis.pubsub<std::string>("s.*");
  a.redis.stream<std::string>("s.x", {.direction = redis::direction::in});
  a.bus.topic<std::string>("s.x").publish("1", {{"k", "v"}});
  CHECK(client.read()[1].text() == "t:s.x");
}

TEST_CASE("a stream that only takes out leaves to pub/sub what comes in", "[redis][pubsub][routes]") {
  const redis_server server;
  process a(server);
  auto in = a.bus.topic<std::string>("s.x").inbox();
  a.redis.pubsub<std::string>("s.*");
  a.redis.stream<std::string>("s.x", {.direction = redis::direction::out});
  REQUIRE(a.redis.wait_ready(patience));
  redis_client(server).run("PUBLISH", "t:s.x", "1");
  CHECK(read(in, 1) == lines{"1"});
}

TEST_CASE("pub/sub carries a topic again once the stream's route is gone, and no more once there is one",
          "[redis][pubsub][routes]") {
  const redis_server server;
  auto client = listening(server);
  process a(server);
  auto topic = a.bus.topic<std::string>("s.x");
  a.redis.pubsub<std::string>("s.*", {.direction = redis::direction::out, .format = redis::format::raw});
  a.redis.stream<std::string>("s.x", {.direction = redis::direction::out});
  topic.publish("by the stream");
  REQUIRE(a.redis.flush(patience));
  CHECK(a.redis.unroute("s.x"));
  topic.publish("by pub/sub");
  CHECK(client.read()[2].text() == "by pub/sub");
  a.redis.stream<std::string>("s.x", {.direction = redis::direction::out});
  topic.publish("by the stream again");
  REQUIRE(a.redis.flush(patience));
  a.bus.topic<std::string>("s.y").publish("of another");
  CHECK(client.read()[2].text() == "of another");
  CHECK(redis_client(server).run("XLEN", "t:s.x").integer() == 2);
}

TEST_CASE("messages of a topic are no more taken once a stream brings it in", "[redis][pubsub][routes]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto in = a.bus.topic<std::string>("s.x").inbox();
  a.redis.pubsub<std::string>("s.*", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  client.run("PUBLISH", "t:s.x", "1");
  CHECK(read(in, 1) == lines{"1"});
  a.redis.stream<std::string>("s.x", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  client.run("PUBLISH", "t:s.x", "2");
  REQUIRE(eventually([&] { return a.redis.stats().topics_refused == 1; }));
  client.run("XADD", "t:s.x", "*", "data", "3");
  CHECK(read(in, 1) == lines{"3"});
  CHECK(a.redis.unroute("s.x"));
  REQUIRE(eventually([&] {
    client.run("PUBLISH", "t:s.x", "4");
    return in.poll([](const std::string& each) { CHECK(each == "4"); }) != 0;
  }));
}
