// Consumers of a group that die, and those that only take long: who gets whose entries, and when.
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>

#include "tests/redis/piped_child.hpp"

#include "tests/redis/bridge/group_fixture.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Dies in its handler, with about so many events in hand. Returns how many.
std::int64_t die_with(const redis_server& server, redis_client& client, const std::string& name, int in_hand) {
  piped_child child({ACTORBUS_GROUP_CHILD, server.uri(), name, std::to_string(in_hand)});
  REQUIRE(child.hear());
  REQUIRE(eventually([&] { return 2 * pending(client) > in_hand; }));
  child.process().kill();
  return pending(client);
}

}  // namespace

TEST_CASE("what a consumer killed in its handler held is claimed, marked as delivered again, and none is lost",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 100));
  die_with(server, client, "unlucky", 10);
  process b(server);
  work_done done;
  const auto work =
      b.redis.consume<std::string>("work", done.handler(), {.group = "g", .consumer = "lucky", .claim_after = 100ms});
  REQUIRE(eventually([&] { return done.count() >= 100; }));
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(done.count() == 100);
  for (const auto& each : done.calls()) CHECK(each.deliveries == (std::stoi(each.value) <= 10 ? 2 : 1));
  CHECK(eventually([&] { return b.redis.stats().claimed == 10; }));
  CHECK(b.redis.stats().redelivered == 10);
}

TEST_CASE("a consumer that comes back under its name goes on with what it held, before anything new, at once",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 300));
  const auto held = die_with(server, client, "b1", 250);
  REQUIRE(held > 100);  // more than are looked at in one step
  process b(server);
  work_done done;
  const auto work =
      b.redis.consume<std::string>("work", done.handler(), {.group = "g", .consumer = "b1", .claim_after = 1h});
  REQUIRE(eventually([&] { return done.count() >= 300; }));
  CHECK(done.values() == numbers(1, 300));
  for (const auto& each : done.calls()) CHECK(each.deliveries == (std::stoi(each.value) <= held ? 2 : 1));
  CHECK(eventually([&] { return pending(client) == 0; }));
}

TEST_CASE("a handler that takes longer than claim_after keeps its event, and those that wait behind it",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 5));
  process a(server);
  process b(server);
  gate held;
  work_done slow;
  work_done other;
  auto patient = a.redis.consume<std::string>("work",
                                              [&](const event<std::string>& e) {
                                                if (*e == "1") held.pass();
                                                slow.add(e);
                                              },
                                              {.group = "g", .consumer = "slow", .claim_after = 3s});
  const opens_at_the_end guard(held);
  REQUIRE(held.reached());
  const auto eager =
      b.redis.consume<std::string>("work", other.handler(), {.group = "g", .consumer = "other", .claim_after = 3s});
  // More than claim_after, each a third of it: the last of those that wait is told alive again and again.
  int renewals = 0;
  std::int64_t idle = 0;
  REQUIRE(eventually([&] {
    const std::int64_t now = client.run("XPENDING", "t:work", "g", "-", "+", "10")[4][2].integer();
    if (now < std::exchange(idle, now)) ++renewals;
    return renewals == 4;
  }));
  held.open();
  REQUIRE(eventually([&] { return slow.count() + other.count() >= 5; }));
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(slow.values() == numbers(1, 5));
  CHECK(other.count() == 0);
  for (const auto& each : slow.calls()) CHECK(each.deliveries == 1);
}

TEST_CASE("an entry deleted from the stream while it was pending is let go", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 3));
  die_with(server, client, "unlucky", 3);
  const auto first = client.run("XRANGE", "t:work", "-", "+", "COUNT", "1")[0][0].text();
  client.run("XDEL", "t:work", first);
  process b(server);
  work_done done;
  const auto name = GENERATE("unlucky", "lucky");
  const auto work =
      b.redis.consume<std::string>("work", done.handler(), {.group = "g", .consumer = name, .claim_after = 50ms});
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(done.values() == numbers(2, 3));
}

TEST_CASE("what was delivered too often by dead consumers is a dead letter, and no handler sees it again",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"killer"});
  for (int i = 0; i < 3; ++i) die_with(server, client, "b1", 1);
  process b(server);
  work_done done;
  const auto work =
      b.redis.consume<std::string>("work", done.handler(), {.group = "g", .consumer = "b1", .max_deliveries = 3});
  REQUIRE(eventually([&] { return b.redis.stats().dead_letters == 1; }));
  CHECK(done.count() == 0);
  CHECK(pending(client) == 0);
  const auto letters = entries(client, "t:work.dead");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].at("data") == "killer");
  CHECK(letters[0].at("dead_letter.error") == "delivered 3 times and never acknowledged");
  CHECK(letters[0].at("dead_letter.attempts") == "3");
}

TEST_CASE("what a dead consumer held is claimed also where there is always more to read, and hardly ever room",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"1"});
  die_with(server, client, "unlucky", 1);
  add_work(client, numbers(101, 200));
  process b(server);
  work_done done;
  std::counting_semaphore<> may_end(0);
  const auto handler = [&](const event<std::string>& e) {
    may_end.try_acquire_for(20s);
    done.add(e);
  };
  const auto id = client.run("XRANGE", "t:work", "-", "+", "COUNT", "1")[0][0].text();
  client.run("XCLAIM", "t:work", "g", "unlucky", 0, id, "IDLE", 0, "JUSTID");  // not yet to be claimed
  const auto work =
      b.redis.consume<std::string>("work", handler, {.group = "g", .max_in_flight = 2, .claim_after = 2s});
  const auto let_end = [](std::counting_semaphore<>* all) { all->release(1000); };
  const std::unique_ptr<std::counting_semaphore<>, decltype(let_end)> at_the_end(&may_end, let_end);
  // Whenever it looks whether there is something to claim, there is no room.
  REQUIRE(eventually(
      [&] { return !client.run("XPENDING", "t:work", "g", "IDLE", 2600, "-", "+", 1, "unlucky").list().empty(); }));
  for (std::size_t ended = 0; ended < 20 && done.count("1") == 0; ++ended) {
    REQUIRE(eventually([&] { return b.redis.stats().in_hand == 2; }));
    may_end.release();
    REQUIRE(eventually([&] { return done.count() == ended + 1; }));
  }
  CHECK(done.count("1") == 1);
  CHECK(b.redis.stats().claimed == 1);
}

TEST_CASE("no more is in hand than may be in flight, also where others left more behind, or it did itself",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 100));
  die_with(server, client, "unlucky", 60);
  process b(server);
  gate held;
  work_done done;
  const auto name = GENERATE("unlucky", "lucky");
  const auto work =
      b.redis.consume<std::string>("work",
                                   [&](const event<std::string>& e) {
                                     held.pass();
                                     done.add(e);
                                   },
                                   {.group = "g", .consumer = name, .max_in_flight = 4, .claim_after = 60ms});
  const opens_at_the_end guard(held);
  REQUIRE(eventually([&] { return b.redis.stats().in_hand >= 4; }));
  std::uint64_t most = 0;
  const auto before = b.redis.stats().commands;
  REQUIRE(eventually([&] {  // it said again and again that it lives, and could have claimed
    const auto now = b.redis.stats();
    most = std::max(most, now.in_hand);
    return now.commands >= before + 30;
  }));
  CHECK(most == 4);
  held.open();
  CHECK(eventually([&] { return done.count() >= 100 && pending(client) == 0; }));
  CHECK(done.count() == 100);
}

TEST_CASE("a consumer that may hold one event claims too, while nothing new comes", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"1"});
  die_with(server, client, "unlucky", 1);
  process b(server);
  work_done done;
  const auto work = b.redis.consume<std::string>(
      "work", done.handler(), {.group = "g", .consumer = "lucky", .max_in_flight = 1, .claim_after = 300ms});
  CHECK(eventually([&] { return done.count() == 1 && pending(client) == 0; }));
}
