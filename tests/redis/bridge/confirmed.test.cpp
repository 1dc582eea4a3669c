// publish_confirmed and de-duplication where replies are lost or the server refuses a part.
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

const redis::bridge_options impatient{.retry_first = 1ms, .retry_most = 5ms};

/// What a producer leaves beside the stream `x`.
std::vector<std::string> marks(redis_client& by) { return by.run("KEYS", "t:x:producer:*").texts(); }

redis::stream_id confirmed(std::future<redis::stream_id>& of) {
  REQUIRE(of.wait_for(patience) == std::future_status::ready);
  return of.get();
}

}  // namespace

TEST_CASE("an event whose acknowledgement was lost is confirmed with its id, and is in the stream once",
          "[redis][confirmed][faults]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::packed);
  CAPTURE(redis::to_string(format));
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri(), impatient);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .format = format, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  topic.publish("1");
  REQUIRE(a.redis.flush(patience));
  between.stall(forwarding::replies);
  std::vector<std::future<redis::stream_id>> asked;
  for (const auto* each : {"2", "3"}) asked.push_back(a.redis.publish_confirmed("x", std::string(each)));
  REQUIRE(eventually([&] { return client.run("XLEN", "t:x").integer() == 3; }));
  topic.publish("4");
  REQUIRE(eventually([&] { return client.run("XLEN", "t:x").integer() == 4; }));
  between.cut();
  between.resume();
  std::vector<std::string> ids;
  for (auto& each : asked) ids.push_back(confirmed(each).to_string());
  REQUIRE(a.redis.flush(patience));
  const auto entries = client.run("XRANGE", "t:x", "-", "+");
  REQUIRE(entries.size() == 4);
  CHECK(ids == lines{entries[1][0].text(), entries[2][0].text()});
  CHECK(eventually([&] { return marks(client).size() == 1; }));  // the ids are not kept any longer
}

TEST_CASE("a confirmation whose id the server could not keep fails with not_connected", "[redis][confirmed][faults]") {
  const redis_server server;
  redis_client client(server);
  client.run("ACL", "SETUSER", "default", "-hset");
  proxy between(server);
  process a(between.uri(), impatient);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .deduplicate = true});
  auto first = a.redis.publish_confirmed("x", std::string("1"));
  CHECK(confirmed(first) != redis::stream_id{});
  between.stall(forwarding::replies);
  auto second = a.redis.publish_confirmed("x", std::string("2"));
  REQUIRE(eventually([&] { return client.run("XLEN", "t:x").integer() == 2; }));
  between.cut();
  between.resume();
  CHECK(error_of([&] { confirmed(second); }) == errc::not_connected);
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XLEN", "t:x").integer() == 2);
}

TEST_CASE("with de-duplication an event that the server refuses in part is not in the stream",
          "[redis][confirmed][faults]") {
  const std::string denied = GENERATE("get", "set", "xadd");
  CAPTURE(denied);
  const redis_server server;
  redis_client client(server);
  process a(server);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .deduplicate = true});
  REQUIRE(a.redis.wait_ready(patience));
  client.run("ACL", "SETUSER", "default", "-" + denied);
  auto refused = a.redis.publish_confirmed("x", std::string("1"));
  CHECK(error_of([&] { confirmed(refused); }) == errc::refused_by_server);
  CHECK(a.redis.stats().refused == 1);
  CHECK(client.run("EXISTS", "t:x").integer() == 0);
  CHECK(marks(client).empty());
  client.run("ACL", "SETUSER", "default", "+" + denied);
  auto taken = a.redis.publish_confirmed("x", std::string("2"));
  confirmed(taken);
  CHECK(client.run("XLEN", "t:x").integer() == 1);
}

TEST_CASE("with de-duplication an event counts as taken where its stream may not be given a time to live",
          "[redis][confirmed][faults]") {
  const redis_server server;
  redis_client client(server);
  client.run("ACL", "SETUSER", "default", "-pexpire");
  process a(server);
  a.redis.stream<std::string>("x", {.ttl = 1h, .direction = redis::direction::out, .deduplicate = true});
  auto first = a.redis.publish_confirmed("x", std::string("1"));
  const auto id = confirmed(first);
  CHECK(client.run("XRANGE", "t:x", "-", "+")[0][0].text() == id.to_string());
  CHECK(a.redis.stats().refused == 0);
  client.run("ACL", "SETUSER", "default", "+pexpire");
  auto second = a.redis.publish_confirmed("x", std::string("2"));
  confirmed(second);
  CHECK(client.run("PTTL", "t:x").integer() > 0);
}

TEST_CASE("a producer whose mark is gone goes on, and only one whose mark went back tells of a loss",
          "[redis][stream][faults]") {
  const bool went_back = GENERATE(false, true);
  CAPTURE(went_back);
  const redis_server server;
  redis_client client(server);
  recording_logger log;
  actorbus::bus local({.logger = log.logger()});
  redis::bridge bridge(local, process::at(server.uri(), {}));
  bridge.stream<std::string>("x", {.direction = redis::direction::out, .deduplicate = true});
  auto topic = local.topic<std::string>("x");
  for (const auto& each : numbers(1, 3)) topic.publish(each);
  REQUIRE(bridge.flush(patience));
  const auto mark = marks(client);
  REQUIRE(mark.size() == 1);
  if (went_back) {
    client.run("SET", mark[0], "2");
  } else {
    client.run("DEL", mark[0]);  // as after a day without an event
  }
  topic.publish("4");
  REQUIRE(bridge.flush(patience));
  CHECK(client.run("XLEN", "t:x").integer() == 4);
  bridge.close(patience);
  local.close(patience);
  CHECK(mentions(log.text(), "has lost events") == went_back);
}
