// What waits to go out to a stream: bounded, counted, told, and not taken for sent.
#include <thread>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

lines texts_of(redis_client& by) {
  lines result;
  const auto entries = by.run("XRANGE", "t:x", "-", "+");
  for (std::size_t i = 0; i < entries.size(); ++i) result.push_back(entries[i][1][1].text());
  return result;
}

}  // namespace

TEST_CASE("while Redis is away what waits for a stream is bounded, the oldest goes, counted and logged",
          "[redis][stream]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  redis_server server;
  recording_logger log;
  actorbus::bus local({.logger = log.logger()});
  redis::bridge bridge(local, process::at(server.uri(), {}));
  auto topic = local.topic<std::string>("x");
  bridge.stream<std::string>("x", {.direction = redis::direction::out, .capacity = 10, .deduplicate = deduplicate});
  REQUIRE(bridge.wait_ready(patience));
  server.kill();
  REQUIRE(eventually([&] { return !bridge.wait_ready(0s); }));
  for (const auto& each : numbers(1, 100)) topic.publish(each);
  REQUIRE(local.flush(patience));
  server.start();
  REQUIRE(bridge.flush(patience));
  redis_client client(server);
  CHECK(texts_of(client) == numbers(91, 100));
  CHECK(bridge.stats().dropped_out == 90);
  CHECK(bridge.stats().out == 10);
  bridge.close(patience);
  local.close(patience);
  CHECK(mentions(log.text(), "90 events of 'x' were dropped"));
}

TEST_CASE("a stream's route that overflow::disconnect has ended says so, and sends nothing more", "[redis][stream]") {
  redis_server server;
  recording_logger log;
  actorbus::bus local({.logger = log.logger()});
  redis::bridge bridge(local, process::at(server.uri(), {}));
  auto topic = local.topic<std::string>("x");
  bridge.stream<std::string>("x",
                             {.direction = redis::direction::out, .overflow = overflow::disconnect, .capacity = 10});
  REQUIRE(bridge.wait_ready(patience));
  server.kill();
  REQUIRE(eventually([&] { return !bridge.wait_ready(0s); }));
  for (const auto& each : numbers(1, 100)) topic.publish(each);
  REQUIRE(local.flush(patience));
  server.start();
  REQUIRE(bridge.wait_ready(patience));
  topic.publish("101");
  REQUIRE(bridge.flush(patience));
  CHECK(texts_of(*std::make_unique<redis_client>(server)).empty());
  bridge.close(patience);
  local.close(patience);
  CHECK(mentions(log.text(), "events of 'x' go out no more"));
}

TEST_CASE("a stream's event that waits behind much of another route is not flushed", "[redis][stream]") {
  redis_server server;
  process a(server, {.command_timeout = patience});
  for (const auto* each : {"large", "huge"}) a.redis.pubsub<std::string>(each, {.direction = redis::direction::out});
  a.redis.stream<std::string>("x", {.direction = redis::direction::out});
  REQUIRE(a.redis.wait_ready(patience));
  a.redis.publish_all({"large", "huge"}, std::string("small"));  // has the server know the script
  server.suspend();
  // Far more than the system takes by itself.
  std::thread other([&] {
    error_of([&] { a.redis.publish_all({"large", "huge"}, std::string(std::size_t{16} * 1024 * 1024, 'x')); });
  });
  const bool is_there = eventually([&] { return a.redis.stats().bytes_out > 64 * 1024; });
  a.bus.topic<std::string>("x").publish("1");
  const bool is_appended = a.bus.flush(patience);
  const bool is_flushed = a.redis.flush(50ms);
  server.resume();
  other.join();
  CHECK(is_there);
  CHECK(is_appended);
  CHECK_FALSE(is_flushed);
  CHECK(a.redis.flush(patience));
  CHECK(redis_client(server).run("XLEN", "t:x").integer() == 1);
}
