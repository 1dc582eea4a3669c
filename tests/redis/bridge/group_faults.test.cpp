// Consumers of a group through what happens to servers: each fault alone.
#include <thread>

#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// A consumer that goes on through all of it.
struct steady {
  explicit steady(std::string uri, redis::consume_options with = {})
      : p(std::move(uri), {.retry_first = 5ms, .retry_most = 50ms}) {
    with.group = "g";
    work = p.redis.consume<std::string>("work", done.handler(), with);
    REQUIRE(p.redis.wait_ready(patience));
  }
  bool has(const std::vector<std::string>& all) const {
    const auto values = done.values();
    const std::set<std::string> seen(values.begin(), values.end());
    return std::all_of(all.begin(), all.end(), [&](const auto& each) { return seen.count(each) == 1; });
  }
  process p;
  work_done done;
  redis::consumer work;
};

}  // namespace

TEST_CASE("a group that was destroyed is made again where it was: nothing is lost, and hardly anything comes again",
          "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  steady s(server.uri());
  add_work(client, numbers(1, 100));
  REQUIRE(eventually([&] { return s.done.count() == 100 && s.p.redis.stats().consumed == 100; }));
  // Looked at since: what was acknowledged then does not come again.
  const auto commands = s.p.redis.stats().commands;
  REQUIRE(eventually([&] { return s.p.redis.stats().commands > commands + 6; }));
  client.run("XGROUP", "DESTROY", "t:work", "g");
  add_work(client, numbers(101, 200));
  REQUIRE(eventually([&] { return s.has(numbers(1, 200)); }));
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(s.done.count() == 200);
}

TEST_CASE("a group destroyed with entries in hand delivers them no second time here", "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  gate held;
  work_done done;
  auto work = p.redis.consume<std::string>("work",
                                           [&](const event<std::string>& e) {
                                             if (*e == "1") held.pass();
                                             done.add(e);
                                           },
                                           {.group = "g"});
  const opens_at_the_end guard(held);
  add_work(client, numbers(1, 5));
  REQUIRE(held.reached());
  client.run("XGROUP", "DESTROY", "t:work", "g");
  REQUIRE(eventually([&] { return pending(client) >= 4; }));  // delivered once more, and known
  held.open();
  add_work(client, {"6"});
  REQUIRE(eventually([&] { return done.count() >= 6 && pending(client) == 0; }));
  CHECK(done.values() == numbers(1, 6));
}

TEST_CASE("a stream that is deleted, or everything flushed, begins anew, and so does the group",
          "[redis][group][faults]") {
  const std::vector<std::string> how =
      GENERATE(std::vector<std::string>{"DEL", "t:work"}, std::vector<std::string>{"FLUSHALL"});
  const redis_server server;
  redis_client client(server);
  steady s(server.uri(), {.from = replay::live()});
  add_work(client, numbers(1, 50));
  REQUIRE(eventually([&] { return s.p.redis.stats().consumed == 50; }));
  for (int i = 1; i <= 3; ++i) {
    client.run(how);
    const auto next = numbers(i * 100, i * 100 + 50);
    add_work(client, next);
    REQUIRE(eventually([&] { return s.has(next); }));
    CHECK(eventually([&] { return pending(client) == 0; }));
  }
  CHECK(s.done.count() == 50 + 3 * 51);
}

TEST_CASE("a stream made anew with ids of its own is read from its beginning", "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  steady s(server.uri());
  add_work(client, numbers(1, 10));
  REQUIRE(eventually([&] { return s.p.redis.stats().consumed == 10; }));
  const auto commands = s.p.redis.stats().commands;
  REQUIRE(eventually([&] { return s.p.redis.stats().commands > commands + 6; }));
  client.run("MULTI");
  client.run("DEL", "t:work");
  for (int i = 11; i <= 20; ++i) client.run("XADD", "t:work", std::to_string(i) + "-0", "data", std::to_string(i));
  client.run("EXEC");
  CHECK(eventually([&] { return s.has(numbers(1, 20)); }));
}

TEST_CASE("a server killed and restarted delivers what it has not acknowledged, each marked if it comes again",
          "[redis][group][faults]") {
  redis_server server({.append_only = true});
  steady s(server.uri(), {.max_in_flight = 20, .concurrency = 2});
  int next = 1;
  for (int round = 0; round < 3; ++round) {
    {
      redis_client client(server);
      add_work(client, numbers(next, next + 499));
      next += 500;
      REQUIRE(eventually([&] { return s.done.count() >= static_cast<std::size_t>(next) - 300; }));
    }
    server.restart();
  }
  REQUIRE(eventually([&] { return s.has(numbers(1, 1500)); }));
  redis_client client(server);
  CHECK(eventually([&] { return pending(client) == 0; }));
  std::set<std::string> seen;
  for (const auto& each : s.done.calls()) {
    const bool is_first = seen.insert(each.value).second;
    CHECK((is_first || each.deliveries > 1));
  }
}

TEST_CASE("connections that are killed lose nothing", "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  steady s(server.uri(), {.max_in_flight = 20});
  for (int i = 0; i < 5; ++i) {
    add_work(client, numbers(i * 100, i * 100 + 99));
    client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  }
  CHECK(eventually([&] { return s.has(numbers(0, 499)) && pending(client) == 0; }));
}

TEST_CASE("connections cut in the middle of a reply, or half open, lose nothing", "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process p(between.uri(), {.command_timeout = 300ms, .retry_first = 5ms, .retry_most = 20ms});
  work_done done;
  const auto work = p.redis.consume<std::string>("work", done.handler(), {.group = "g", .max_in_flight = 20});
  REQUIRE(p.redis.wait_ready(patience));
  const auto has = [&](int to) {
    const auto values = done.values();
    return std::set<std::string>(values.begin(), values.end()).size() == static_cast<std::size_t>(to);
  };
  SECTION("cut while entries are delivered") {
    between.only_where("XREADGROUP");
    for (const int bytes : {3, 500, 1500}) {
      between.cut_after(static_cast<std::uint64_t>(bytes));
      add_work(client, numbers(bytes, bytes + 99));
    }
    CHECK(eventually([&] { return has(300) && pending(client) == 0; }));
  }
  SECTION("cut while they are acknowledged") {
    between.only_where("XACK");
    add_work(client, numbers(1, 100));
    REQUIRE(eventually([&] { return has(100); }));
    between.cut_after(2);
    add_work(client, numbers(101, 200));
    CHECK(eventually([&] { return has(200) && pending(client) == 0; }));
  }
  SECTION("half open") {
    add_work(client, numbers(1, 100));
    between.stall();
    add_work(client, numbers(101, 200));
    REQUIRE(eventually([&] { return p.redis.stats().connections_lost >= 1; }));
    between.resume();
    CHECK(eventually([&] { return has(200) && pending(client) == 0; }));
  }
  std::set<std::string> seen;
  for (const auto& each : done.calls()) CHECK((seen.insert(each.value).second || each.deliveries > 1));
}

TEST_CASE("a key that is no stream is told and tried again", "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  client.run("SET", "t:work", "not a stream");
  process p(server);
  work_done done;
  const auto work = p.redis.consume<std::string>("work", done.handler(), {.group = "g"});
  CHECK_FALSE(p.redis.wait_ready(50ms));
  client.run("DEL", "t:work");
  add_work(client, {"1"});
  CHECK(eventually([&] { return done.count() == 1; }));
  CHECK(p.redis.wait_ready(patience));
}

TEST_CASE("a consumer that was made before its server is there begins when it comes", "[redis][group][faults]") {
  redis_server server;
  server.stop();
  process p(server, {.retry_first = 5ms, .retry_most = 20ms});
  work_done done;
  const auto work = p.redis.consume<std::string>("work", done.handler(), {.group = "g"});
  CHECK_FALSE(p.redis.wait_ready(20ms));
  server.start();
  redis_client client(server);
  add_work(client, numbers(1, 10));
  CHECK(eventually([&] { return done.count() == 10 && pending(client) == 0; }));
}

TEST_CASE("stats tell the group's lag, what is pending, and what is in hand", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  gate held;
  auto work = p.redis.consume<std::string>("work", [&](const std::string&) { held.pass(); },
                                           {.group = "g", .max_in_flight = 3});
  const auto twin = p.redis.consume<std::string>("work", [&](const std::string&) { held.pass(); },
                                                 {.group = "g", .max_in_flight = 2});
  const opens_at_the_end guard(held);
  REQUIRE(p.redis.wait_ready(patience));
  add_work(client, numbers(1, 12));
  CHECK(eventually([&] {
    const auto now = p.redis.stats();
    return now.in_hand >= 4 && now.pending == now.in_hand && now.lag == 12 - now.in_hand;
  }));
  held.open();
  CHECK(eventually([&] {
    const auto now = p.redis.stats();
    return now.lag == 0 && now.pending == 0 && now.in_hand == 0 && now.consumed == 12;
  }));
}

TEST_CASE("stats tell a group's lag also where the server does not count it", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 10));
  const auto ids = client.run("XRANGE", "t:work", "-", "+");
  const auto from = GENERATE(1, 2, 3);  // the end, somewhere in the middle, and made again there
  if (from != 1) client.run("XGROUP", "CREATE", "t:work", "g", ids[3][0].text());
  process p(server);
  gate held;
  auto work = p.redis.consume<std::string>("work", [&](const std::string&) { held.pass(); },
                                           {.group = "g", .max_in_flight = 2, .from = replay::live()});
  const opens_at_the_end guard(held);
  REQUIRE(p.redis.wait_ready(patience));
  add_work(client, numbers(11, 20));
  REQUIRE(held.reached());
  if (from == 3) {
    client.run("XGROUP", "DESTROY", "t:work", "g");
    client.run("XGROUP", "CREATE", "t:work", "g", ids[5][0].text());
  }
  CHECK(eventually([&] { return p.redis.stats().lag >= 8; }));
  CHECK(p.redis.stats().lag <= 20);
  held.open();
  CHECK(eventually([&] { return p.redis.stats().lag == 0 && p.redis.stats().consumed >= 10; }));
}
