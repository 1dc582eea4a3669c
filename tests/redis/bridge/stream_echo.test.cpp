// Streams in formats without an origin: which of our own entries come back after a lost connection.
#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

const redis::bridge_options impatient{.command_timeout = patience, .retry_first = 1ms, .retry_most = 5ms};

}  // namespace

TEST_CASE("an entry that was sent again and had come before comes back behind a gap", "[redis][stream][echo]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri(), impatient);
  diary told;
  auto topic = a.bus.topic<std::string>("x");
  const auto s = topic.subscribe(told.handler());
  a.redis.stream<std::string>("x", {.format = redis::format::raw, .deduplicate = deduplicate});
  REQUIRE(a.redis.wait_ready(patience));
  topic.publish("0");
  REQUIRE(a.redis.flush(patience));
  between.stall(forwarding::replies);
  topic.publish("1");
  REQUIRE(eventually([&] { return client.run("XLEN", "t:x").integer() == 2; }));
  between.cut();
  between.resume();
  REQUIRE(a.redis.flush(patience));
  client.run("XADD", "t:x", "*", "data", "end");
  REQUIRE(eventually([&] { return told.ends_with("end"); }));
  if (deduplicate) {
    CHECK(told.get() == lines{"0", "1", "end"});
  } else {
    CHECK(told.get() == lines{"0", "1", "gap: an event was sent again, and may have come back", "1", "end"});
  }
}

TEST_CASE("a lost connection for messages brings no entry of a stream back", "[redis][stream][echo]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri(), impatient);
  diary told;
  auto topic = a.bus.topic<std::string>("x");
  const auto s = topic.subscribe(told.handler());
  a.redis.stream<std::string>("x", {.format = redis::format::raw});
  a.redis.pubsub<std::string>("y", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  topic.publish("0");
  REQUIRE(a.redis.flush(patience));
  between.stall(forwarding::replies);
  topic.publish("1");
  REQUIRE(eventually([&] { return client.run("XLEN", "t:x").integer() == 2; }));
  between.only_where("SUBSCRIBE");
  between.cut();
  REQUIRE(eventually([&] { return a.redis.stats().connections_lost == 1; }));
  between.resume();
  REQUIRE(a.redis.wait_ready(patience));
  client.run("XADD", "t:x", "*", "data", "end");
  REQUIRE(eventually([&] { return told.ends_with("end"); }));
  CHECK(told.get() == lines{"0", "1", "end"});
}
