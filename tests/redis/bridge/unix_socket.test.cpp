// The main paths over a unix socket.
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

lines numbers(int from, int to) {
  lines result;
  for (int i = from; i <= to; ++i) result.push_back(std::to_string(i));
  return result;
}

}  // namespace

TEST_CASE("over a unix socket messages reach others, both ways", "[redis][pubsub][unix]") {
  const redis_server server;
  process a(server.unix_uri()), b(server.unix_uri());
  auto at_a = a.bus.topic<std::string>("x").inbox({.where = [](const metadata& m) { return m.origin != 0; }});
  auto at_b = b.bus.topic<std::string>("x").inbox({.where = [](const metadata& m) { return m.origin != 0; }});
  for (auto* each : {&a, &b}) {
    each->redis.pubsub<std::string>("x");
    REQUIRE(each->redis.wait_ready(patience));
  }
  for (const auto& each : numbers(1, 1000)) a.bus.topic<std::string>("x").publish(each);
  CHECK(read(at_b, 1000) == numbers(1, 1000));
  for (const auto& each : numbers(1, 1000)) b.bus.topic<std::string>("x").publish(each);
  CHECK(read(at_a, 1000) == numbers(1, 1000));
}

TEST_CASE("over a unix socket streams are written, replayed, confirmed and read back", "[redis][stream][unix]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  process a(server.unix_uri() + "?db=3");
  a.redis.stream<std::string>("x", {.deduplicate = deduplicate});
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : numbers(1, 1000)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  process late(server.unix_uri() + "?db=3");
  auto in = late.bus.topic<std::string>("x").inbox();
  late.redis.stream<std::string>("x", {.from = replay::last(100)});
  CHECK(read(in, 100) == numbers(901, 1000));
  auto id = a.redis.publish_confirmed("x", std::string("1001"));
  REQUIRE(id.wait_for(patience) == std::future_status::ready);
  CHECK_FALSE(error_of([&] { id.get(); }));
  CHECK(read(in, 1) == lines{"1001"});
  const auto past = late.redis.history<std::string>("x", 2);
  REQUIRE(past.size() == 2);
  CHECK(*past[0] == "1000");
  CHECK(*past[1] == "1001");
  CHECK(redis_client(server).run("DBSIZE").integer() == 0);  // of database 0
  CHECK(a.redis.flush_all() >= 1);
}

TEST_CASE("over a unix socket a killed server is found again, and a stream misses nothing", "[redis][stream][unix]") {
  redis_server server({.append_only = true});
  process a(server.unix_uri()), b(server.unix_uri());
  auto in = b.bus.topic<std::string>("x").inbox({.overflow = overflow::block});
  b.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  a.redis.stream<std::string>("x",
                              {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  constexpr int count = 3000;
  for (int i = 1; i <= count; ++i) {
    topic.publish(std::to_string(i));
    if (i == count / 3 || i == count / 2) server.restart();
  }
  CHECK(read(in, count) == numbers(1, count));
}

TEST_CASE("a unix socket that is not there is told, without a busy loop, and found once it is", "[redis][unix]") {
  redis_server server;
  server.stop();
  bus local;
  std::mutex mutex;
  std::string reason;
  redis::bridge bridge(local, {.uri = server.unix_uri(), .retry_first = 1ms, .retry_most = 10ms});
  bridge.on_state([&](const redis::state& s) {
    std::lock_guard lock(mutex);
    if (s.phase == redis::phase::lost) reason = s.reason;
  });
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return reason.find("cannot connect to unix://") != std::string::npos;
  }));
  server.start();
  CHECK(bridge.wait_ready(patience));
}
