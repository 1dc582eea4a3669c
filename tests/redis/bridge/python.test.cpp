// A bridge and a client nobody here wrote: redis-py writes what the bridge reads, and reads what it writes.
#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/python_peer.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("what redis-py adds with the field data alone, or publishes, is an event, and it reads ours",
          "[redis][python]") {
  const redis_server server;
  python_peer python(server);
  process a(server);
  auto orders = a.bus.topic<std::string>("orders");
  auto in = orders.inbox();
  auto news = a.bus.topic<std::string>("news");
  auto heard = news.inbox();
  a.redis.stream<std::string>("orders");
  a.redis.pubsub<std::string>("news");
  REQUIRE(a.redis.wait_ready(patience));
  const auto id = python.xadd("t:orders", {{"data", "hello"}});
  CHECK(read(in, 1) == lines{"hello"});
  CHECK(python.publish("t:news", "hello") == 1);
  CHECK(read(heard, 1) == lines{"hello"});
  python.subscribe({"t:news"});
  news.publish("with headers", {{"k", "v"}});
  orders.publish("with headers", {{"k", "v"}});
  const auto message = python.messages(1);
  REQUIRE(message.size() == 1);
  CHECK(message[0].data.ends_with("with headers"));
  const auto entry = python.xread("t:orders", id, 1);
  REQUIRE(entry.size() == 1);
  CHECK(entry[0]["data"] == "with headers");
  CHECK(entry[0]["channel"] == "orders");
  CHECK(entry[0]["actorbus"].find("k=v") != std::string::npos);
}

TEST_CASE("redis-py in the place of a Litestar application shares its streams and channels", "[redis][python]") {
  const redis_server server;
  python_peer python(server);
  process a(server, {.prefix = "LITESTAR_CHANNELS"});
  auto orders = a.bus.topic<std::string>("orders");
  auto in = orders.inbox();
  auto news = a.bus.topic<std::string>("news");
  auto heard = news.inbox();
  a.redis.stream<std::string>("orders", {.maxlen = 100, .ttl = 60s, .format = redis::format::litestar});
  a.redis.pubsub<std::string>("news", {.format = redis::format::litestar});
  REQUIRE(a.redis.wait_ready(patience));
  const std::string key = "LITESTAR_CHANNELS_ORDERS";
  const auto id = python.xadd(key, {{"data", "theirs"}, {"channel", "orders"}}, {{"maxlen", 100}});
  CHECK(read(in, 1) == lines{"theirs"});
  for (const std::string each : {"1", "2"}) {
    python.call("persist", {key});
    orders.publish(each);
    REQUIRE(a.redis.flush(patience));
    CHECK(eventually([&] { return python.call("pttl", {key}).get<int>() > 0; }));  // set on each publish
  }
  const auto entries = python.xread(key, id, 10);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0]["data"] == "1");
  CHECK(entries[0]["channel"] == "orders");
  python.subscribe({"news"});  // its channels have no prefix
  news.publish("ours", {{"k", "v"}});
  CHECK(python.messages(1) == std::vector<python_peer::message>{{"", "news", "ours"}});
  python.publish("news", "theirs");
  CHECK(read(heard, 2) == lines{"ours", "theirs"});
}

TEST_CASE("redis-py in the place of a Watermill application shares its streams", "[redis][python]") {
  const redis_server server;
  python_peer python(server);
  process a(server);
  auto orders = a.bus.topic<std::string>("orders");
  auto in = orders.inbox();
  a.redis.stream<std::string>("orders", {.format = redis::format::watermill});
  REQUIRE(a.redis.wait_ready(patience));
  const std::string metadata = "\x81\xa6source\xa8odometry";
  const auto id =
      python.xadd("t:orders", {{"_watermill_message_uuid", "u-1"}, {"metadata", metadata}, {"payload", "theirs"}});
  const auto theirs = in.next(patience);
  REQUIRE(theirs);
  CHECK(**theirs == "theirs");
  CHECK(theirs->headers().get("source") == "odometry");
  CHECK(theirs->headers().get("_watermill_message_uuid") == "u-1");
  orders.publish("ours", {{"source", "odometry"}});
  const auto ours = python.xread("t:orders", id, 1);
  REQUIRE(ours.size() == 1);
  CHECK(ours[0]["payload"] == "ours");
  CHECK(ours[0]["metadata"] == metadata);
  CHECK(ours[0]["_watermill_message_uuid"].size() == 36);
}

TEST_CASE("redis-py is a consumer of a group beside ours: each event goes to one of both", "[redis][python]") {
  const redis_server server;
  redis_client client(server);
  python_peer python(server);
  process a(server);
  client.run("XGROUP", "CREATE", "t:work", "g", "0", "MKSTREAM");
  add_work(client, numbers(1, 9));
  const auto theirs = python.xreadgroup("t:work", "g", "python", 4);
  REQUIRE(theirs.size() == 4);
  work_done done;
  const auto work = a.redis.consume<std::string>("work", done.handler(), {.group = "g"});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 5; }));
  CHECK(done.values() == numbers(5, 9));
  for (const auto& each : theirs) CHECK(python.xack("t:work", "g", each.id) == 1);
  CHECK(pending(client) == 0);
}
