// What foreign programs write that is no event of ours, or an unusual one: never more than that entry is at stake.
#include <algorithm>
#include <map>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/faults/memory_in_use.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;
using flat = std::map<std::string, std::string>;

const std::string binary("\0\xff\r\n$5\r\n*1\r\n\x80", 14);

}  // namespace

TEST_CASE("entries with missing, extra, empty, doubled and binary fields: each is an event or is set aside",
          "[redis][faults][entries]") {
  const auto format = GENERATE(redis::format::native, redis::format::litestar);
  CAPTURE(redis::to_string(format));
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto in = a.bus.topic<std::string>("x").inbox();
  a.redis.stream<std::string>("x", {.format = format});
  REQUIRE(a.redis.wait_ready(patience));
  const std::string key = format == redis::format::litestar ? "t:_X" : "t:x";
  const auto add = [&](std::vector<std::string> fields) {
    std::vector<std::string> words{"XADD", key, "*"};
    words.insert(words.end(), fields.begin(), fields.end());
    client.run(words);
  };
  add({"", ""});
  add({"other", "no data"});
  add({binary, binary});
  add({"DATA", "another name"});
  add({"data", "plain"});
  add({"data", "", "channel", ""});
  add({"extra", "1", "data", "with extras", binary, binary, "channel", "x"});
  add({"data", "first", "data", "second"});
  add({"data", binary});
  std::vector<std::string> many{"data", "among many"};
  for (int i = 0; i < 5000; ++i) many.insert(many.end(), {"field" + std::to_string(i), ""});
  add(many);
  add({"data", "last"});
  CHECK(read(in, 7) == lines{"plain", "", "with extras", "first", binary, "among many", "last"});
  CHECK(a.redis.stats().decode_failures == 4);
  CHECK(a.redis.stats().connections_lost == 0);
}

TEST_CASE("flat fields may be many, empty and binary, both ways", "[redis][faults][entries]") {
  const redis_server server;
  redis_client client(server);
  process a(server), b(server);
  auto in = b.bus.topic<flat>("x").inbox();
  for (auto* each : {&a, &b}) {
    each->redis.stream<flat>("x", {.format = redis::format::fields});
    REQUIRE(each->redis.wait_ready(patience));
  }
  flat many{{"", ""}, {binary, binary}, {"key", ""}};
  for (int i = 0; i < 5000; ++i) many.emplace("field" + std::to_string(i), binary);
  a.bus.topic<flat>("x").publish(many);
  REQUIRE(a.redis.flush(patience));
  client.run("XADD", "t:x", "*", "one", "two");
  CHECK(read(in, 2) == std::vector<flat>{many, {{"one", "two"}}});
  CHECK(a.redis.stats().refused == 0);
}

TEST_CASE("a payload is empty, binary, or looks like the protocol: it arrives as it is, in every format",
          "[redis][faults][entries]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::litestar,
                               redis::format::packed, redis::format::watermill);
  const bool by_stream = GENERATE(true, false);
  if (!by_stream && format == redis::format::watermill) return;
  CAPTURE(redis::to_string(format), by_stream);
  const redis_server server;
  process a(server), b(server);
  auto in = b.bus.topic<std::string>("x").inbox();
  for (auto* each : {&a, &b}) {
    if (by_stream) {
      each->redis.stream<std::string>("x", {.format = format});
    } else {
      each->redis.pubsub<std::string>("x", {.format = format});
    }
    REQUIRE(each->redis.wait_ready(patience));
  }
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  const lines wanted{"", binary, every_byte, "+OK\r\n", "-ERR\r\n", std::string(1, '\0'), std::string(100'000, '\n')};
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : wanted) topic.publish(each);
  CHECK(read(in, wanted.size()) == wanted);
}

TEST_CASE("a foreign entry of 64 MiB in one field, and one without data, are read and set aside",
          "[redis][faults][entries]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto in = a.bus.topic<std::string>("x").inbox();
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  const std::string huge(std::max<std::size_t>(scaled(64), 8) * mebibyte, 'h');
  client.run("XADD", "t:x", "MAXLEN", "1", "*", "no_data", huge);
  REQUIRE(eventually([&] { return a.redis.stats().decode_failures == 1; }));
  client.run("XADD", "t:x", "MAXLEN", "1", "*", "extra", huge, "data", "small");
  CHECK(read(in, 1) == lines{"small"});
  client.run("XADD", "t:x", "MAXLEN", "1", "*", "data", huge);
  const auto one = in.next(patience);
  REQUIRE(one);
  CHECK((**one == huge));  // not printed
  CHECK(a.redis.stats().connections_lost == 0);
}

TEST_CASE("messages that only begin like ours are set aside, bare ones are events", "[redis][faults][entries]") {
  const redis_server server;
  redis_client client(server);
  process a(server), b(server);
  auto in = a.bus.topic<std::string>("x").inbox();
  a.redis.pubsub<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  // One of ours, as it is on the way, and every beginning of it.
  client.send({"SUBSCRIBE", "t:x"});
  client.read();
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::out});
  b.bus.topic<std::string>("x").publish("payload", {{"key", "value"}});
  const std::string ours = client.read()[2].text();
  CHECK(read(in, 1) == lines{"payload"});
  redis_client other(server);
  for (std::size_t size = 0; size < ours.size(); ++size) other.run("PUBLISH", "t:x", ours.substr(0, size));
  other.run("PUBLISH", "t:x", "end");
  lines came;
  while (came.empty() || came.back() != "end") {
    const auto one = in.next(patience);
    REQUIRE(one);
    came.push_back(**one);
  }
  const auto stats = a.redis.stats();
  CHECK(stats.decode_failures + came.size() == ours.size() + 1);
  CHECK(stats.decode_failures > 0);
  CHECK(stats.connections_lost == 0);
}
