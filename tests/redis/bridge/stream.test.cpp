// Streams through a real redis-server: what they carry.
#include <map>
#include <set>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("what one process publishes is in the stream and reaches another, in order, with headers, origin and id",
          "[redis][stream]") {
  const redis_server server;
  process a(server);
  process b(server);
  auto in = b.bus.topic<std::string>("orders.created").inbox();
  a.redis.stream<std::string>("orders.created");
  b.redis.stream<std::string>("orders.created");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  auto from = a.bus.topic<std::string>("orders.created");
  from.publish("0", {{"k", "v"}});
  for (const auto& each : numbers(1, 4999)) from.publish(each);
  const auto first = in.next(patience);
  REQUIRE(first);
  CHECK(**first == "0");
  CHECK(first->headers().get("k") == "v");
  CHECK(redis::stream_id::parse(first->headers().get("redis.id")));
  CHECK(first->origin() == a.redis.origin());
  CHECK(first->origin_sequence() == 1);
  CHECK(read(in, 4999) == numbers(1, 4999));
  redis_client client(server);
  CHECK(client.run("XLEN", "t:orders.created").integer() == 5000);
}

TEST_CASE("no entry of a stream comes back to who added it, in any format, and none loops among three",
          "[redis][stream]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::litestar,
                               redis::format::packed, redis::format::watermill);
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(redis::to_string(format), deduplicate);
  const redis_server server;
  process all[3]{process(server), process(server), process(server)};
  std::vector<inbox<std::string>> in;
  for (auto& each : all) {
    in.push_back(each.bus.topic<std::string>("x").inbox());
    each.redis.stream<std::string>("x", {.format = format, .deduplicate = deduplicate});
  }
  for (auto& each : all) REQUIRE(each.redis.wait_ready(patience));
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) {
    for (int p = 0; p < 3; ++p) all[p].bus.topic<std::string>("x").publish(std::to_string(p) + "." + std::to_string(i));
  }
  for (auto& each : all) REQUIRE(each.redis.flush(patience));
  process last(server);
  last.redis.stream<std::string>("x", {.format = format});
  last.bus.topic<std::string>("x").publish("end");
  for (auto& each : in) {
    std::multiset<std::string> seen;
    for (;;) {
      const auto one = each.next(patience);
      REQUIRE(one);
      if (**one == "end") break;
      seen.insert(**one);
    }
    CHECK(seen.size() == 3 * count);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 3 * count);
  }
}

TEST_CASE("flat fields travel as they are, both ways", "[redis][stream]") {
  using fields = std::map<std::string, std::string>;
  const redis_server server;
  process a(server);
  auto topic = a.bus.topic<fields>("x");
  auto in = topic.inbox();
  a.redis.stream<fields>("x", {.format = redis::format::fields});
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  client.run("XADD", "t:x", "*", "name", "ann", "age", "7");
  CHECK(read(in, 1) == std::vector<fields>{{{"name", "ann"}, {"age", "7"}}});
  topic.publish(fields{{"b", "2"}, {"a", "1"}});
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XREVRANGE", "t:x", "+", "-", "COUNT", "1")[0][1].texts() == lines{"a", "1", "b", "2"});
}

TEST_CASE("a stream is trimmed and expires as asked", "[redis][stream]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  process a(server);
  a.redis.stream<std::string>(
      "x", {.maxlen = 10, .ttl = 1h, .direction = redis::direction::out, .exact = true, .deduplicate = deduplicate});
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : numbers(1, 100)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  redis_client client(server);
  CHECK(client.run("XLEN", "t:x").integer() == 10);
  const auto left = client.run("PTTL", "t:x").integer();
  CHECK(left > 0);
  CHECK(left <= 3'600'000);
}

TEST_CASE("patterns of streams are found, also those made later, from their beginning", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  client.run("XADD", "t:s.old", "*", "data", "old");
  process b(server);
  auto in = b.bus.inbox<std::string>("s.*");
  b.redis.stream<std::string>("s.*");
  REQUIRE(b.redis.wait_ready(patience));
  client.run("XADD", "t:s.new", "*", "data", "1");
  client.run("XADD", "t:s.new", "*", "data", "2");
  CHECK(read(in, 2) == lines{"1", "2"});
  client.run("XADD", "t:s.old", "*", "data", "3");
  CHECK(read(in, 1) == lines{"3"});
}

TEST_CASE("a full topic stops the reading, and nothing is lost", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  auto topic = b.bus.topic<std::string>("x", {.capacity = 16, .lane = 16});
  auto in = topic.inbox({.overflow = overflow::block});
  b.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 5000)) client.run("XADD", "t:x", "*", "data", each);
  CHECK(read(in, 5000) == numbers(1, 5000));
}

TEST_CASE("entries that are no events are set aside and counted", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  auto in = b.bus.topic<std::string>("x").inbox();
  b.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  client.run("XADD", "t:x", "*", "other", "no data");
  client.run("XADD", "t:x", "*", "data", std::string("bin\0ary", 7), "extra", "field");
  client.run("XADD", "t:x", "*", "data", "");
  const std::string huge(std::size_t{8} * 1024 * 1024, 'x');
  client.run("XADD", "t:x", "*", "data", huge);
  CHECK(read(in, 3) == lines{std::string("bin\0ary", 7), "", huge});
  CHECK(b.redis.stats().decode_failures == 1);
}
