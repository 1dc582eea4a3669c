// A server that is there and does not do what it is asked, for a while or for good.
#include <mutex>
#include <optional>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/faults/busy.hpp"
#include "tests/redis/faults/traffic.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/proxy.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

std::string of_user(const redis_server& server, const std::string& user) {
  return "redis://" + user + "@127.0.0.1:" + std::to_string(server.port());
}

/// Streams of every kind, while the server refuses what they add from one call to the other: nothing is missing.
template <class Begin, class End>
void wait_out(const redis_server& server, Begin begin, End end) {
  const way by = GENERATE(from_range(by_streams));
  CAPTURE(to_string(by));
  traffic events(server.uri(), {.by = by});
  events.flow();
  REQUIRE(events.moves());
  begin();
  REQUIRE(eventually([&] { return events.sender().stats().resent > 0; }));
  end();
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

}  // namespace

TEST_CASE("a server at its memory's limit without eviction is waited for", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  const redis_server server({.directives = {"maxmemory-policy noeviction"}});
  redis_client client(server);
  traffic events(server.uri(), {.by = by});
  events.flow();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(events.moves());
    const auto resent = events.sender().stats().resent;
    client.run("CONFIG", "SET", "maxmemory", 1);
    // Messages need no memory of the server's.
    REQUIRE((by == way::pubsub ? events.moves() : eventually([&] { return events.sender().stats().resent > resent; })));
    client.run("CONFIG", "SET", "maxmemory", 0);
  }
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
  CHECK(events.sender().stats().connections_lost == 0);
  CHECK(events.sender().stats().refused == 0);
}

TEST_CASE("a read-only replica is waited for until it is promoted", "[redis][faults]") {
  const way by = GENERATE(way::stream, way::deduplicated);
  CAPTURE(to_string(by));
  const redis_server master;
  const redis_server replica({.replica_of = &master});
  traffic events(replica.uri(), {.by = by});
  events.flow();
  REQUIRE(eventually([&] { return events.sender().stats().resent > 0; }));
  CHECK(events.arrived() == 0);
  redis_client(replica).run("REPLICAOF", "NO", "ONE");
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("a master that is a read-only replica for a while is waited for", "[redis][faults]") {
  const redis_server server;
  redis_client client(server);
  // Of nobody: it keeps its data.
  wait_out(
      server, [&] { client.run("REPLICAOF", "127.0.0.1", 1); }, [&] { client.run("REPLICAOF", "NO", "ONE"); });
}

TEST_CASE("messages go through a read-only replica, to who listens there", "[redis][faults]") {
  const redis_server master;
  const redis_server replica({.replica_of = &master});
  traffic events(replica.uri(), {.by = way::pubsub});
  events.flow();
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("a server that wants more replicas than it has is waited for", "[redis][faults]") {
  const redis_server server;
  redis_client client(server);
  const auto want = [&](int replicas) { client.run("CONFIG", "SET", "min-replicas-to-write", replicas); };
  wait_out(
      server, [&] { want(1); }, [&] { want(0); });
}

TEST_CASE("a server busy with somebody's script is waited for", "[redis][faults]") {
  const redis_server server;
  std::optional<busy> with_a_script;
  wait_out(
      server, [&] { with_a_script.emplace(server); }, [&] { with_a_script.reset(); });
}

TEST_CASE("messages that a busy server refuses are counted, and told where they would be", "[redis][faults]") {
  const redis_server server;
  traffic events(server.uri(), {.by = way::pubsub});
  events.flow();
  REQUIRE(events.moves());
  for (int i = 0; i < 10; ++i) {
    const auto before = events.sender().stats().refused;
    {
      const busy with_a_script(server);
      REQUIRE(eventually([&] { return events.sender().stats().refused > before; }));
    }
    REQUIRE(events.moves());
  }
  events.stop();
  REQUIRE(events.sender().flush(20s));
  REQUIRE(events.is_alive());
  const auto stats = events.sender().stats();
  CHECK(events.accepted() - events.arrived() == stats.refused + stats.lost_out);
  CHECK(events.verdict() == "");
}

TEST_CASE("a refused message is told in its place, in front of what was on its way behind it by then",
          "[redis][faults]") {
  const redis_server server;
  proxy between(server);
  process a(between.uri()), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  const auto as = GENERATE(actorbus::redis::format::native, actorbus::redis::format::packed);
  a.redis.pubsub<std::string>("x", {.direction = actorbus::redis::direction::out, .format = as});
  b.redis.pubsub<std::string>("x", {.direction = actorbus::redis::direction::in, .format = as});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("1");
  REQUIRE(eventually([&] { return told.has("1"); }));
  redis_client beside(server);
  between.stall(forwarding::replies);  // it does not hear of the refusal
  {
    const busy with_a_script(server);
    const auto before = between.request_bytes();
    from.publish("refused");
    REQUIRE(eventually([&] { return between.request_bytes() > before; }));
    for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(beside.run("GET", "any"), redis_error);  // read behind it
  }
  REQUIRE(eventually([&] {
    try {
      return !beside.run("EXISTS", "any").integer();
    } catch (const redis_error&) {  // the script has not ended yet
      return false;
    }
  }));
  from.publish("on its way");
  REQUIRE(eventually([&] { return told.has("on its way"); }));
  CHECK(told.get() == lines{"1", "gap: messages of its publisher are missing", "on its way"});
  between.resume();
  REQUIRE(eventually([&] { return a.redis.stats().refused == 1; }));
  from.publish("next");
  REQUIRE(eventually([&] { return told.has("next"); }));
  // Its sender does not know that it was told already.
  CHECK(told.get() == lines{"1", "gap: messages of its publisher are missing", "on its way",
                            "gap: what its publisher sent was lost on the way", "next"});
}

TEST_CASE("a refused message that nothing follows is told within seconds", "[redis][faults]") {
  const redis_server server;
  process a(server), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = actorbus::redis::direction::out});
  b.redis.pubsub<std::string>("x", {.direction = actorbus::redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("1");
  REQUIRE(eventually([&] { return told.has("1"); }));
  {
    const busy with_a_script(server);
    from.publish("refused");
    REQUIRE(eventually([&] { return a.redis.stats().refused == 1; }));
  }
  REQUIRE(eventually([&] { return told.get().size() == 2; }));
  CHECK(told.get()[1].starts_with("gap: "));
}

TEST_CASE("a refused message that an ACL keeps from being told, too, is told once that is granted",
          "[redis][faults][acl]") {
  const redis_server server({.users = {"ann on >hidden ~* &* +@all"}});
  redis_client beside(server);
  process a(of_user(server, "ann:hidden")), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  a.redis.pubsub<std::string>("x", {.direction = actorbus::redis::direction::out});
  b.redis.pubsub<std::string>("x", {.direction = actorbus::redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  beside.run("ACL", "SETUSER", "ann", "-publish");
  a.bus.topic<std::string>("x").publish("refused");
  REQUIRE(eventually([&] {  // the gap was denied, too
    const auto denied = beside.run("INFO", "errorstats").text();
    return mentions(denied, "errorstat_NOPERM") && !mentions(denied, "errorstat_NOPERM:count=1\r");
  }));
  beside.run("ACL", "SETUSER", "ann", "+publish");
  REQUIRE(eventually([&] { return told.get().size() == 1; }));
  CHECK(told.get()[0].starts_with("gap: "));
}

TEST_CASE("a bridge that comes to a busy server begins once that is over", "[redis][faults]") {
  const redis_server server;
  actorbus::bus bus;
  actorbus::redis::bridge bridge(bus, {.uri = server.uri(), .retry_first = 1ms, .retry_most = 5ms});
  REQUIRE(bridge.wait_ready(20s));
  auto in = bus.topic<std::string>("x").inbox();
  {
    const busy with_a_script(server);
    bridge.pubsub<std::string>("x");  // subscribes meanwhile
    REQUIRE(eventually([&] { return bridge.stats().connections_made >= 1 && !bridge.wait_ready(0s); }));
  }
  REQUIRE(bridge.wait_ready(20s));
  CHECK(redis_client(server).run("PUBLISH", "x", "hello").integer() == 1);
  CHECK(in.next(20s));
}

TEST_CASE("a server that loads its data is waited for", "[redis][faults]") {
  const way by = GENERATE(from_range(all_ways));
  CAPTURE(to_string(by));
  redis_server server(
      {.append_only = true, .directives = {"rdbcompression no", "loading-process-events-interval-bytes 1024"}});
  redis_client filler(server);
  for (int i = 0; i < 100; ++i) filler.run("SET", "key" + std::to_string(i), std::string(1000, 'x'));
  filler.run("BGREWRITEAOF");
  REQUIRE(eventually([&] {
    const auto info = filler.run("INFO", "persistence").text();
    return mentions(info, "aof_rewrite_in_progress:0") && mentions(info, "aof_rewrite_scheduled:0");
  }));
  std::mutex mutex;
  bool was_loading = false;
  traffic events(server.uri(), {.by = by});
  events.sender().on_state([&](const actorbus::redis::state& s) {
    std::lock_guard lock(mutex);
    was_loading = was_loading || mentions(s.reason, "LOADING");
  });
  events.flow();
  REQUIRE(events.moves());
  server.kill();
  server.start({"key-load-delay 100000"}, server_is::listening);
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return was_loading;
  }));
  redis_client(server).run("CONFIG", "SET", "key-load-delay", 0);
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("what an ACL denies for a while is done once it is granted", "[redis][faults][acl]") {
  const auto [by, command] = GENERATE(table<way, std::string>({{way::deduplicated, "script"},
                                                               {way::deduplicated, "xread"},
                                                               {way::deduplicated, "xinfo"},
                                                               {way::stream, "xread"},
                                                               {way::stream, "xinfo"}}));
  CAPTURE(to_string(by), command);
  const redis_server server({.users = {"ann on >hidden ~* &* +@all -" + command}});
  traffic events(of_user(server, "ann:hidden"), {.by = by});
  events.flow();
  REQUIRE(eventually([&] { return events.accepted() > 100; }));
  CHECK(events.arrived() == 0);
  redis_client(server).run("ACL", "SETUSER", "ann", "+" + command);
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
}

TEST_CASE("what an ACL denies for good is counted as refused, and the bridge stays", "[redis][faults][acl]") {
  const auto [by, command] = GENERATE(table<way, std::string>(
      {{way::pubsub, "publish"}, {way::stream, "xadd"}, {way::deduplicated, "evalsha"}, {way::deduplicated, "xadd"}}));
  CAPTURE(to_string(by), command);
  const redis_server server({.users = {"ann on >hidden ~* &* +@all -" + command}});
  traffic events(of_user(server, "ann:hidden"), {.by = by});
  events.flow();
  REQUIRE(eventually([&] { return events.sender().stats().refused > 100; }));
  events.stop();
  REQUIRE(events.sender().flush(20s));
  CHECK(events.sender().stats().refused == events.accepted());
  CHECK(events.sender().stats().connections_lost == 0);
  CHECK(events.arrived() == 0);
  redis_client(server).run("ACL", "SETUSER", "ann", "+" + command);
  CHECK(events.is_alive());
}

TEST_CASE("an ACL that denies what only helps does not matter", "[redis][faults][acl]") {
  const way by = GENERATE(from_range(all_ways));
  const std::string command = GENERATE("client", "ping");
  CAPTURE(to_string(by), command);
  const redis_server server({.users = {"ann on >hidden ~* &* +@all -" + command}});
  traffic events(of_user(server, "ann:hidden"), {.by = by});
  events.flow();
  REQUIRE(events.moves());
  CHECK(events.verdict() == "");
  CHECK(events.sender().stats().connections_lost == 0);
}
