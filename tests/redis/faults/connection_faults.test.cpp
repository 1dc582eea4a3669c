// What can happen to connections, each alone, while events flow.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/faults/traffic.hpp"
#include "tests/redis/proxy.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Each side has a way to the server that the test can spoil.
struct behind_proxies {
  redis_server server;
  proxy out{server}, in{server};
  traffic events;

  explicit behind_proxies(way by, std::chrono::nanoseconds command_timeout = 20s)
      : events(out.uri(), in.uri(), {.by = by, .connected = connected(command_timeout)}) {
    events.flow();
  }
};

bool is_ready(actorbus::redis::bridge& which) { return which.wait_ready(0s); }

}  // namespace

TEST_CASE("a durable server is killed and comes back: events go on, nothing is missing but what was told",
          "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  redis_server server({.append_only = true});
  traffic events(server.uri(), {.by = by});
  events.flow();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(events.moves());
    // What moves may have been there before; the next restart is to find a connection.
    REQUIRE(events.sender().wait_ready(20s));
    const auto lost = events.sender().stats().connections_lost;
    server.restart();
    REQUIRE(eventually([&] { return events.sender().stats().connections_lost > lost; }));
  }
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("all connections are killed by CLIENT KILL: events go on, nothing is missing but what was told",
          "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  const redis_server server;
  redis_client client(server);
  traffic events(server.uri(), {.by = by});
  events.flow();
  const auto connections = [&] {
    const std::string all = client.run("CLIENT", "LIST").text();
    return std::count(all.begin(), all.end(), '\n');
  };
  for (int i = 0; i < 5; ++i) {
    REQUIRE(events.moves());
    REQUIRE(eventually([&] { return connections() > 3; }));  // this one, and what has come back
    client.run("CLIENT", "KILL", "SKIPME", "yes");
  }
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("the receiver's connection is cut in the middle of replies: nothing is missing but what was told",
          "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  behind_proxies all(by);
  for (std::uint64_t i = 0; i < 10; ++i) {
    REQUIRE(all.events.moves());
    all.in.cut_after(i * 37 + 1);
    REQUIRE(eventually([&] { return all.events.receiver().stats().connections_lost > i; }));
  }
  REQUIRE(all.events.moves());
  CHECK(all.events.verdict() == "");
}

TEST_CASE("the sender's connection is cut in the middle of replies: nothing is missing but what was told",
          "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  behind_proxies all(by);
  for (std::uint64_t i = 0; i < 10; ++i) {
    REQUIRE(all.events.moves());
    all.out.cut_after(i * 37 + 1);
    REQUIRE(eventually([&] { return all.events.sender().stats().connections_lost > i; }));
  }
  REQUIRE(all.events.moves());
  CHECK(all.events.verdict() == "");
  CHECK(all.events.receiver().stats().connections_lost == 0);
  if (by != way::pubsub) CHECK(all.events.sender().stats().resent > 0);
}

TEST_CASE("messages that a publisher's lost connection took with it are counted there, and told where they would be",
          "[redis][faults]") {
  const auto format =
      GENERATE(actorbus::redis::format::native, actorbus::redis::format::packed, actorbus::redis::format::raw);
  CAPTURE(actorbus::redis::to_string(format));
  const redis_server server;
  proxy out(server);
  traffic events(out.uri(), server.uri(), {.by = way::pubsub, .topics = {"x", "y"}, .format = format});
  events.flow();
  for (std::uint64_t cuts = 1; cuts <= 10; ++cuts) {
    REQUIRE(events.moves());
    out.cut();
    REQUIRE(eventually([&] { return events.sender().stats().connections_lost == cuts; }));
    REQUIRE(events.sender().wait_ready(20s));  // so that the next cut finds a connection
  }
  REQUIRE(events.moves());
  events.stop();
  REQUIRE(events.sender().flush(20s));
  REQUIRE(events.is_alive());
  const auto stats = events.sender().stats();
  CHECK(stats.connections_lost == 10);
  CHECK(stats.dropped_out == 0);
  if (format == actorbus::redis::format::packed) return;  // counted by message
  CHECK(events.accepted() - events.arrived() <= stats.lost_out);
  if (format == actorbus::redis::format::raw) return;  // which has no room to tell
  CHECK(events.verdict() == "");
}

TEST_CASE("half-open connections are noticed by both sides, and events go on over others", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  const auto stalled = GENERATE(std::vector{forwarding::requests}, std::vector{forwarding::replies},
                                std::vector{forwarding::requests, forwarding::replies});
  CAPTURE(to_string(by), stalled.size(), static_cast<int>(stalled[0]));
  const redis_server server;
  proxy between(server);
  traffic events(between.uri(), {.by = by, .connected = connected(500ms)});
  events.flow();
  REQUIRE(events.moves());
  for (const auto each : stalled) between.stall(each);
  REQUIRE(eventually([&] { return !is_ready(events.sender()) && !is_ready(events.receiver()); }));
  between.cut();  // what the half-open ones still hold does not come any more
  between.resume();
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("an idle half-open connection is noticed by its health check", "[redis][faults]") {
  const way by = GENERATE(way::pubsub, way::deduplicated, way::group);
  CAPTURE(to_string(by));
  const redis_server server;
  proxy between(server);
  traffic events(between.uri(), {.by = by, .connected = connected(500ms)});
  REQUIRE(events.is_alive());
  between.stall();
  REQUIRE(eventually([&] { return !is_ready(events.sender()) && !is_ready(events.receiver()); }));
  between.cut();
  between.resume();
  REQUIRE(events.is_alive());
  CHECK(events.verdict() == "");
}

TEST_CASE("garbage instead of replies ends the connection, and nothing is missing but what was told",
          "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  const std::string garbage = GENERATE(as<std::string>(), "HTTP/1.1 400 Bad Request\r\n\r\n", std::string(1000, '\0'),
                                       "*-7\r\n", "$abc\r\n", "*1000000\r\n*1000000\r\n*1000000\r\n!",
                                       "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "\xff\xfe\r\n");
  CAPTURE(to_string(by), garbage);
  behind_proxies all(by, 500ms);
  REQUIRE(all.events.moves());
  all.in.replace_next_reply(garbage);
  REQUIRE(eventually([&] { return all.events.receiver().stats().connections_lost >= 1; }));
  REQUIRE(all.events.moves());
  all.out.replace_next_reply(garbage);
  REQUIRE(eventually([&] { return all.events.sender().stats().connections_lost >= 1; }));
  REQUIRE(all.events.moves());
  CHECK(all.events.verdict() == "");
}

TEST_CASE("a server that refuses connections for a while is found again", "[redis][faults]") {
  const way by = GENERATE(way::pubsub, way::deduplicated, way::group);
  CAPTURE(to_string(by));
  behind_proxies all(by);
  REQUIRE(all.events.moves());
  for (auto* each : {&all.out, &all.in}) {
    each->refuse_connections();
    each->cut();
  }
  REQUIRE(eventually([&] { return !is_ready(all.events.sender()) && !is_ready(all.events.receiver()); }));
  // Pub/sub: who receives is there first.
  all.in.accept_connections();
  REQUIRE(all.events.receiver().wait_ready(20s));
  all.out.accept_connections();
  REQUIRE(all.events.moves());
  CHECK(all.events.verdict() == "");
}
