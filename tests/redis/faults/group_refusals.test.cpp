// A server that does not do what a consumer of a group asks for, for a while.
#include <stdexcept>

#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/error_count.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Takes "good" ones, "late" ones at the second time, and "bad" ones never.
auto choosy(work_done& seen) {
  return [&seen](const event<std::string>& e) {
    seen.add(e);
    const bool is_late = *e == "late" && seen.count("late") == 1;
    if (is_late || *e == "bad") throw std::runtime_error("not now");
  };
}

/// How often the server has denied something.
std::int64_t denials(redis_client& client) {
  std::int64_t sum = 0;
  const auto log = client.run("ACL", "LOG");
  for (const auto& each : log.list()) sum += each[1].integer();
  return sum;
}

}  // namespace

TEST_CASE("what an ACL denies a group's consumer for a while is done once it is granted",
          "[redis][group][faults][acl]") {
  const std::string command =
      GENERATE("xreadgroup", "xack", "xpending", "xclaim", "xinfo", "xgroup", "eval", "xadd", "client");
  CAPTURE(command);
  const redis_server server({.users = {"ann on >hidden ~* &* +@all -" + command}});
  redis_client client(server);
  process p("redis://ann:hidden@127.0.0.1:" + std::to_string(server.port()), {.retry_first = 1ms, .retry_most = 20ms});
  work_done done;
  const auto work =
      p.redis.consume<std::string>("work", choosy(done), {.group = "g", .max_deliveries = 2, .retry_first = 1ms});
  add_work(client, {"good", "late", "bad"});
  REQUIRE(eventually([&] { return denials(client) >= 2; }));  // it was tried again
  client.run("ACL", "SETUSER", "ann", "+" + command);
  CHECK(eventually([&] { return pending(client) == 0 && done.count() >= 5; }));
  CHECK(done.deliveries("good") == std::vector<std::uint64_t>{1});
  CHECK(done.deliveries("late") == std::vector<std::uint64_t>{1, 2});
  CHECK(done.deliveries("bad") == std::vector<std::uint64_t>{1, 2});
  CHECK(entries(client, "t:work.dead").size() == 1);
  CHECK(p.redis.stats().connections_lost == 0);
}

TEST_CASE("dead letters that a server at its memory's limit does not take are not acknowledged, and go when it does",
          "[redis][group][faults]") {
  const redis_server server({.directives = {"maxmemory-policy noeviction"}});
  redis_client client(server);
  process p(server);
  gate held;
  const auto work = p.redis.consume<std::string>("work",
                                                 [&](const std::string&) {
                                                   held.pass();
                                                   throw std::runtime_error("not now");
                                                 },
                                                 {.group = "g", .max_deliveries = 1});
  const opens_at_the_end guard(held);
  add_work(client, {"bad"});
  REQUIRE(held.reached());
  client.run("CONFIG", "SET", "maxmemory", 1);
  held.open();
  REQUIRE(eventually([&] { return error_count(client, "OOM") >= 2; }));  // it was tried again
  CHECK(pending(client) == 1);
  CHECK(p.redis.stats().dead_letters == 0);
  client.run("CONFIG", "SET", "maxmemory", 0);
  CHECK(eventually([&] { return pending(client) == 0 && p.redis.stats().dead_letters == 1; }));
  CHECK(entries(client, "t:work.dead").size() == 1);
}

TEST_CASE("a dead letter that the server refuses for its size keeps no other from going", "[redis][group][faults]") {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  const redis_server server({.directives = {"maxmemory-policy noeviction"}});
  redis_client client(server);
  const auto info = client.run("INFO", "memory").text();
  const auto used = std::stoull(info.substr(info.find("used_memory:") + 12));
  {
    redis_client other(server);  // who keeps room for one more of that size
    add_work(other, {std::string(15 * mebibyte, 'x'), "small", "small too"});
  }
  process p(server);
  gate held;
  const auto work = p.redis.consume<std::string>("work",
                                                 [&](const std::string&) {
                                                   held.pass();
                                                   throw std::runtime_error("not now");
                                                 },
                                                 {.group = "g", .max_deliveries = 1});
  const opens_at_the_end guard(held);
  REQUIRE(held.reached());
  client.run("CONFIG", "SET", "maxmemory", 1);
  held.open();
  REQUIRE(eventually([&] { return p.redis.stats().handlers_failed == 3 && error_count(client, "OOM") >= 3; }));
  // For the entry and what its connection keeps room for; not for the letter besides.
  client.run("CONFIG", "SET", "maxmemory", std::to_string(used + 40 * mebibyte));
  CHECK(eventually([&] { return p.redis.stats().dead_letters == 2; }));
  CHECK(pending(client) == 1);
  client.run("CONFIG", "SET", "maxmemory", 0);
  CHECK(eventually([&] { return pending(client) == 0 && p.redis.stats().dead_letters == 3; }));
}
