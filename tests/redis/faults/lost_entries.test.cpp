// What is in the server is taken away from under the bridge.
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/faults/traffic.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// The key of the sender's place in the stream of topic x.
std::string mark_of(traffic& events) { return "t:x:producer:" + std::to_string(events.sender().origin()); }

/// Five times while events flow; each time so many notices follow at least.
void take_away(const redis_server& server, traffic& events, const std::vector<std::string>& how,
               std::uint64_t notices) {
  redis_client client(server);
  events.flow();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    REQUIRE(events.moves());
    client.run(how);
    REQUIRE(eventually([&] { return events.notices() >= i * notices; }));
  }
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

}  // namespace

TEST_CASE("FLUSHALL: what was not read before is lost and told, and events go on", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  const redis_server server;
  traffic events(server.uri(), {.by = by, .may_lose = true});
  take_away(server, events, {"FLUSHALL"}, by == way::pubsub ? 0 : 1);
  CHECK(events.sender().stats().refused == 0);
  if (by == way::pubsub) CHECK(events.notices() == 0);
}

TEST_CASE("a stream is deleted: what was not read before is lost and told, and events go on", "[redis][faults]") {
  const way by = GENERATE(from_range(by_streams));
  CAPTURE(to_string(by));
  const redis_server server;
  traffic events(server.uri(), {.by = by, .may_lose = true});
  take_away(server, events, {"DEL", "t:x"}, 1);
}

TEST_CASE("a stream is deleted while nobody publishes: its readers are told, and the next event arrives",
          "[redis][faults]") {
  const redis_server server;
  traffic events(server.uri(), {.by = way::deduplicated, .may_lose = true});
  REQUIRE(events.is_alive());
  redis_client(server).run("DEL", "t:x");
  REQUIRE(eventually([&] { return events.notices() == 1; }));
  REQUIRE(events.is_alive());
  CHECK(events.verdict() == "");
}

TEST_CASE("a stream is trimmed before it is read: that is told, and events go on", "[redis][faults]") {
  const way by = GENERATE(from_range(by_streams));
  CAPTURE(to_string(by));
  const redis_server server;
  redis_client client(server);
  traffic events(server.uri(), {.by = by, .may_lose = true});
  events.flow();
  for (int i = 0; i < 50; ++i) {
    REQUIRE(events.moves(20));
    client.run("XTRIM", "t:x", "MAXLEN", 0);
  }
  CHECK(events.verdict() == "");
}

TEST_CASE("a server that lost what it had acknowledged goes on with what comes next", "[redis][faults]") {
  const redis_server server({.debug_command = true});
  redis_client client(server);
  traffic events(server.uri(), {.by = way::deduplicated, .may_lose = true});
  events.flow();
  REQUIRE(events.moves());
  client.run("SAVE");
  REQUIRE(events.moves());
  events.stop();
  REQUIRE(events.sender().flush(20s));
  REQUIRE(eventually([&] { return events.arrived() == events.accepted(); }));
  client.run("DEBUG", "RELOAD", "NOSAVE");  // as of the SAVE
  const auto resent = events.sender().stats().resent;
  CHECK(events.is_alive());
  CHECK(events.sender().stats().resent <= resent + 2);  // found out by one answer, and no more tries
}

TEST_CASE("a producer's mark that is gone, or is none, is made anew", "[redis][faults]") {
  const redis_server server;
  redis_client client(server);
  traffic events(server.uri(), {.by = way::deduplicated});
  events.flow();
  REQUIRE(events.moves());
  client.run("DEL", mark_of(events));
  REQUIRE(events.moves());
  client.run("SET", mark_of(events), "no number");
  REQUIRE(events.moves());
  client.run("SCRIPT", "FLUSH");
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
  CHECK(events.sender().stats().refused == 0);
}
