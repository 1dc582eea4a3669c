// A server that takes its time.
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/faults/traffic.hpp"
#include "tests/redis/proxy.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

actorbus::redis::bridge_options within(std::chrono::milliseconds command_timeout) {
  return {.command_timeout = command_timeout, .health_check = 50ms, .retry_first = 1ms, .retry_most = 20ms};
}

}  // namespace

TEST_CASE("a server that pauses for less than the command timeout is only late", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  const redis_server server({.debug_command = true});
  redis_client client(server);
  traffic events(server.uri(), {.by = by, .connected = within(20s)});
  events.flow();
  REQUIRE(events.moves());
  client.run("CLIENT", "PAUSE", 300);
  REQUIRE(events.moves());
  client.run("CLIENT", "PAUSE", 300, "WRITE");
  REQUIRE(events.moves());
  client.run("DEBUG", "SLEEP", "0.3");
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
  CHECK(events.sender().stats().connections_lost == 0);
  CHECK(events.receiver().stats().connections_lost == 0);
}

TEST_CASE("a server that pauses for longer than the command timeout is connected to again", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  const redis_server server;
  redis_client client(server);
  traffic events(server.uri(), {.by = by, .connected = within(200ms)});
  events.flow();
  REQUIRE(events.moves());
  client.run("CLIENT", "PAUSE", 100'000, "WRITE");  // all would hold up UNPAUSE too
  REQUIRE(eventually([&] { return events.sender().stats().connections_lost >= 1; }));
  client.run("CLIENT", "UNPAUSE");
  REQUIRE(eventually([&] { return events.sender().wait_ready(0s) && events.receiver().wait_ready(0s); }));
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("a server that stands still, its connections open, is noticed and comes back", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  redis_server server;
  traffic events(server.uri(), {.by = by, .connected = within(200ms)});
  events.flow();
  REQUIRE(events.moves());
  server.suspend();
  REQUIRE(eventually([&] { return !events.sender().wait_ready(0s) && !events.receiver().wait_ready(0s); }));
  server.resume();
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("a long way to the server only delays", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  const redis_server server;
  proxy between(server);
  between.delay(30ms);
  traffic events(between.uri(), {.by = by, .connected = within(20s)});
  events.flow();
  REQUIRE(events.moves(1000));
  CHECK(events.verdict() == "");
  CHECK(events.sender().stats().connections_lost == 0);
}
