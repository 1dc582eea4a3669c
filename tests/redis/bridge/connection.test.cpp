// One connection: subscriptions among the commands that it awaits answers of.
#include <atomic>
#include <memory>
#include <thread>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("a subscription that is not answered loses the connection like any command, and is asked for again",
          "[redis][connection]") {
  const redis_server server;
  proxy between(server);
  process a(between.uri(), {.command_timeout = 500ms, .health_check = 0s});
  diary told;
  const auto s = a.bus.topic<std::string>("second").subscribe(told.handler());
  const auto lost = std::make_shared<std::atomic<bool>>(false);
  a.redis.on_state([lost](const redis::state& now) {
    if (mentions(now.reason, "messages: no reply within")) *lost = true;
  });
  a.redis.pubsub<std::string>("first");
  REQUIRE(a.redis.wait_ready(patience));
  between.stall(forwarding::requests);
  a.redis.pubsub<std::string>("second", {.direction = redis::direction::in});
  CHECK(eventually([&] { return lost->load(); }));
  between.resume();
  redis_client client(server);
  CHECK(eventually([&] {
    client.run("PUBLISH", "t:second", "here");
    return told.has("here");
  }));
}

TEST_CASE("a subscription that is refused is not taken for the answer to a health check", "[redis][connection]") {
  redis_server server({.users = {"ann on >secret ~* +@all resetchannels &t:ok"}});
  process a("redis://ann:secret@127.0.0.1:" + std::to_string(server.port()), {.health_check = 5ms});
  auto in = a.bus.topic<std::string>("ok").inbox();
  a.redis.pubsub<std::string>("ok", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    server.suspend();
    a.redis.pubsub<std::string>("denied." + std::to_string(i), {.direction = redis::direction::in});
    CHECK(a.redis.stats().refused == i - 1);
    std::this_thread::sleep_for(50ms);  // time for a health check, were one due
    server.resume();
    REQUIRE(eventually([&] { return a.redis.stats().refused == i; }));
    REQUIRE(a.redis.wait_ready(patience));
  }
  redis_client(server).run("PUBLISH", "t:ok", "fine");
  CHECK(read(in, 1) == lines{"fine"});
  CHECK(a.redis.stats().connections_lost == 0);
}
