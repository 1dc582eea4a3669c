// Consumers of a group whose server is out of their reach for a while: who keeps what, and what a stop can do then.
#include <future>

#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

const redis::bridge_options at_once{.retry_first = 5ms, .retry_most = 50ms};

/// A consumer behind a proxy of its own, whose handler stands still at "1".
struct distant {
  distant(const redis_server& server, const redis::consume_options& with) : between(server), p(between.uri(), at_once) {
    work = p.redis.consume<std::string>(
        "work",
        [this](const event<std::string>& e) {
          if (*e == "1") held.pass();
          done.add(e);
        },
        with);
    REQUIRE(p.redis.wait_ready(patience));
  }
  void leave() {
    between.refuse_connections();
    between.cut();
    REQUIRE(eventually([&] { return between.open_connections() == 0; }));
  }
  void come_back() { between.accept_connections(); }

  proxy between;
  gate held;
  work_done done;
  process p;
  redis::consumer work;
  opens_at_the_end guard{held};
};

/// For how long the server has not heard of each that is pending.
std::vector<std::chrono::milliseconds> idle(redis_client& client) {
  std::vector<std::chrono::milliseconds> result;
  const auto found = client.run("XPENDING", "t:work", "g", "-", "+", "10");
  for (const auto& each : found.list()) result.emplace_back(each[2].integer());
  return result;
}

}  // namespace

TEST_CASE("who comes back first after an outage longer than claim_after takes nothing of those who live as well",
          "[redis][group][faults]") {
  constexpr auto claim_after = 6s;
  const redis_server server;
  redis_client client(server);
  distant a(server, {.group = "g", .consumer = "a", .claim_after = claim_after});
  add_work(client, numbers(1, 2));
  REQUIRE(a.held.reached());
  REQUIRE(eventually([&] { return pending(client) == 2; }));  // one in the handler, one behind it
  distant b(server, {.group = "g", .consumer = "b", .claim_after = claim_after});
  a.leave();
  b.leave();
  // As if that took its time.
  const auto ids = client.run("XRANGE", "t:work", "-", "+");
  for (std::size_t i = 0; i < 2; ++i)
    client.run("XCLAIM", "t:work", "g", "a", 0, ids[i][0].text(), "IDLE", 60'000, "JUSTID");
  b.come_back();
  add_work(client, {"3"});
  REQUIRE(eventually([&] { return b.done.count() >= 1; }));
  a.come_back();
  // It says that they live.
  REQUIRE(eventually([&] {
    const auto now = idle(client);
    return now.size() == 2 && std::max(now[0], now[1]) < claim_after;
  }));
  a.held.open();
  REQUIRE(eventually([&] { return a.done.count() == 2 && pending(client) == 0; }));
  CHECK(a.done.values() == numbers(1, 2));
  CHECK(b.done.values() == numbers(3, 3));
  CHECK(b.p.redis.stats().claimed == 0);
}

TEST_CASE("what a consumer that does not come back from an outage held is claimed all the same",
          "[redis][group][faults]") {
  const redis_server server;
  redis_client client(server);
  distant a(server, {.group = "g", .consumer = "a", .claim_after = 200ms});
  add_work(client, numbers(1, 2));
  REQUIRE(a.held.reached());
  REQUIRE(eventually([&] { return pending(client) == 2; }));
  distant b(server, {.group = "g", .consumer = "b", .claim_after = 200ms});
  b.held.open();
  a.leave();
  b.leave();
  b.come_back();
  REQUIRE(eventually([&] { return b.done.count() == 2 && pending(client) == 0; }));
  CHECK(b.p.redis.stats().claimed == 2);
  a.come_back();  // its end has not to be waited for
}

TEST_CASE("a stop while the server is away is over once that has come back, and not before", "[redis][group][faults]") {
  const bool comes_back = GENERATE(true, false);
  const redis_server server;
  redis_client client(server);
  distant a(server, {.group = "g", .consumer = "a"});
  add_work(client, {"1"});
  REQUIRE(a.held.reached());
  a.leave();
  a.held.open();
  REQUIRE(eventually([&] { return a.done.count() == 1; }));  // handled, and nobody can be told
  if (!comes_back) {
    CHECK_FALSE(a.work.stop(50ms));
    CHECK(pending(client) == 1);
    return;
  }
  auto stopped = std::async(std::launch::async, [&] { return a.work.stop(patience); });
  REQUIRE(eventually([&] { return !a.work.active(); }));
  CHECK(pending(client) == 1);
  a.come_back();
  CHECK(stopped.get());
  CHECK(pending(client) == 0);
  CHECK(consumers(client).empty());
}

TEST_CASE("a stop while entries come, and their connection is cut in the middle of them, leaves to others what did not",
          "[redis][group][faults]") {
  const auto bytes = GENERATE(3U, 500U, 1500U);
  const redis_server server;
  redis_client client(server);
  distant a(server, {.group = "g", .consumer = "a"});
  a.held.open();
  a.between.only_where("XREADGROUP");
  a.between.cut_after(bytes);
  add_work(client, numbers(1, 100));
  CHECK(a.work.stop(patience));
  const auto handled = a.done.values();
  process b(server);
  work_done rest;
  const auto work =
      b.redis.consume<std::string>("work", rest.handler(), {.group = "g", .consumer = "b", .claim_after = 50ms});
  REQUIRE(eventually([&] { return rest.count() + handled.size() >= 100 && pending(client) == 0; }));
  std::set<std::string> all(handled.begin(), handled.end());
  for (const auto& each : rest.values()) CHECK(all.insert(each).second);  // it was acknowledged before the end
  CHECK(all.size() == 100);
}
