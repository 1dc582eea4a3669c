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

TEST_CASE("redis-py reads the payload alone in raw, on streams and channels, and what it writes is an event",
          "[redis][python]") {
  const redis_server server;
  python_peer python(server);
  process a(server);
  auto orders = a.bus.topic<std::string>("orders");
  auto in = orders.inbox();
  auto news = a.bus.topic<std::string>("news");
  auto heard = news.inbox();
  a.redis.stream<std::string>("orders", {.format = redis::format::raw});
  a.redis.pubsub<std::string>("news", {.format = redis::format::raw});
  REQUIRE(a.redis.wait_ready(patience));
  const std::string theirs("\xff\x00\r\n", 4);
  const auto id = python.xadd("t:orders", {{"data", theirs}});
  CHECK(read(in, 1) == lines{theirs});
  python.xadd("t:orders", {{"a name of its own", "other"}});
  CHECK(read(in, 1) == lines{"other"});
  CHECK(python.publish("t:news", theirs) == 1);
  CHECK(read(heard, 1) == lines{theirs});
  python.subscribe({"t:news"});
  const std::string ours("\xff\x61\x62\x00 ours", 9);  // begins as an envelope does
  news.publish(ours, {{"k", "v"}});
  CHECK(python.messages(1) == std::vector<python_peer::message>{{"", "t:news", ours}});
  orders.publish(ours, {{"k", "v"}});
  REQUIRE(a.redis.flush(patience));
  const auto entries = python.xread("t:orders", id, 10);
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].values == python_peer::fields{{"data", ours}});
}

TEST_CASE("redis-py and a bridge share the flat fields of a stream, as pyredishelper's programs do",
          "[redis][python]") {
  using fields = std::map<std::string, std::string>;
  const redis_server server;
  python_peer python(server);
  process a(server);
  auto things = a.bus.topic<fields>("things");
  auto in = things.inbox();
  auto news = a.bus.topic<fields>("news");
  auto heard = news.inbox();
  a.redis.stream<fields>("things", {.format = redis::format::fields});
  a.redis.pubsub<fields>("news", {.format = redis::format::fields});
  REQUIRE(a.redis.wait_ready(patience));
  const auto id = python.xadd("t:things", {{"price", "12"}, {"name", "lamp"}});
  CHECK(read(in, 1) == std::vector<fields>{{{"name", "lamp"}, {"price", "12"}}});
  CHECK(python.publish("t:news", "name=desk+lamp&price=12%25") == 1);
  CHECK(read(heard, 1) == std::vector<fields>{{{"name", "desk lamp"}, {"price", "12%"}}});
  python.subscribe({"t:news"});
  const fields ours{{"actorbus", "1 is no stamp here"}, {"name", "desk"}};
  news.publish(ours);
  CHECK(python.messages(1) ==
        std::vector<python_peer::message>{{"", "t:news", "actorbus=1+is+no+stamp+here&name=desk"}});
  things.publish(ours);
  const auto entry = python.xread("t:things", id, 1);
  REQUIRE(entry.size() == 1);
  CHECK(entry[0].values == python_peer::fields(ours.begin(), ours.end()));
}

TEST_CASE("redis-py reads a packed entry's bytes as FORMAT.md lays them out, and writes some that are events",
          "[redis][python]") {
  const redis_server server;
  python_peer python(server);
  process a(server);
  auto fast = a.bus.topic<std::string>("fast");
  auto in = fast.inbox();
  a.redis.stream<std::string>("fast", {.format = redis::format::packed});
  REQUIRE(a.redis.wait_ready(patience));
  // Two events of the origin 9f86d081884c7d65, from its 300th on; the second has a header.
  const std::string theirs = std::string("\xff\x61\x62\x70\x02\x00\x65\x7d\x4c\x88\x81\xd0\x86\x9f\xac\x02\x00", 17) +
                             "\x08"
                             "hi"
                             "\x0d\x01\x01k\x01v"
                             "ann";
  const auto id = python.xadd("t:fast", {{"packed", theirs}});
  for (const std::string value : {"hi", "ann"}) {
    const auto event = in.next(patience);
    REQUIRE(event);
    CHECK(**event == value);
    CHECK(event->origin() == 0x9f86d081884c7d65);
    CHECK(event->origin_sequence() == (value == "hi" ? 300 : 301));
    CHECK(event->headers().get("k") == (value == "hi" ? "" : "v"));
    CHECK(event->headers().get("redis.id") == (value == "hi" ? id : id + ":1"));
  }
  fast.publish("ours", {{"k", "v"}});
  const auto entry = python.xread("t:fast", id, 1);
  REQUIRE(entry.size() == 1);
  REQUIRE(entry[0].values.size() == 1);
  std::string origin;
  for (int byte = 0; byte < 8; ++byte) origin += static_cast<char>(a.redis.origin() >> 8 * byte);
  const auto event = in.next(patience);  // our own, from which its sequence is known
  REQUIRE(event);
  REQUIRE(event->sequence() < 128);
  CHECK(entry[0]["packed"] ==
        "\xff\x61\x62\x70\x01\x18"
        "application/octet-stream" +
            origin + static_cast<char>(event->sequence()) + std::string(1, '\0') +
            "\x11\x01\x01k\x01v"
            "ours");
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
