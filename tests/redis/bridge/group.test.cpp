// Consumers of a group through a real redis-server: what comes to whom, and when it is acknowledged.
#include <future>

#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("a consumer gets every event of the stream from its beginning, in order, with headers, origin and id",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  a.redis.stream<std::string>("work", {.direction = redis::direction::out});
  REQUIRE(a.redis.wait_ready(patience));
  a.bus.topic<std::string>("work").publish("0", {{"k", "v"}});
  for (const auto& each : numbers(1, 999)) a.bus.topic<std::string>("work").publish(each);
  REQUIRE(a.redis.flush(patience));

  process b(server);
  work_done done;
  std::optional<event<std::string>> first;
  const auto work = b.redis.consume<std::string>("work",
                                                 [&](const event<std::string>& e) {
                                                   if (!first) first.emplace(e);
                                                   done.add(e);
                                                 },
                                                 {.group = "g", .max_in_flight = 100});
  REQUIRE(eventually([&] { return done.count() == 1000; }));
  CHECK(done.values() == numbers(0, 999));
  CHECK((*first)->size() == 1);
  CHECK(first->topic() == "work");
  CHECK(first->sequence() == 0);
  CHECK(first->headers().get("k") == "v");
  CHECK_FALSE(first->headers().contains("redis.deliveries"));
  CHECK(redis::stream_id::parse(first->headers().get("redis.id"))->time() == first->time());
  CHECK(first->origin() == a.redis.origin());
  CHECK(first->origin_sequence() == 1);
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(eventually([&] { return b.redis.stats().consumed == 1000; }));
}

TEST_CASE("what this process publishes comes to its own consumers too", "[redis][group]") {
  const redis_server server;
  process a(server);
  work_done done;
  a.redis.stream<std::string>("work");
  const auto work = a.redis.consume<std::string>("work", done.handler(), {.group = "g"});
  a.bus.topic<std::string>("work").publish("mine");
  REQUIRE(eventually([&] { return done.count() == 1; }));
  CHECK(done.values() == std::vector<std::string>{"mine"});
}

TEST_CASE("consumers of one group share the events, those of two get all of them", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  process b(server);
  work_done shared;
  work_done other;
  const auto one = a.redis.consume<std::string>("work", shared.handler(), {.group = "g", .max_in_flight = 4});
  const auto two = b.redis.consume<std::string>("work", shared.handler(), {.group = "g", .max_in_flight = 4});
  const auto all = b.redis.consume<std::string>("work", other.handler(), {.group = "others"});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  add_work(client, numbers(1, 500));
  REQUIRE(eventually([&] { return shared.count() >= 500 && other.count() >= 500; }));
  CHECK(eventually([&] { return pending(client) == 0 && pending(client, "others") == 0; }));
  const auto values = shared.values();
  CHECK(std::set<std::string>(values.begin(), values.end()).size() == 500);
  CHECK(values.size() == 500);
  CHECK(other.values() == numbers(1, 500));
}

TEST_CASE("as many handlers run at once as may, and no more is in hand than may be in flight", "[redis][group]") {
  const auto where = GENERATE(run_on::own_thread, run_on::pool);
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 50));
  gate all_in;
  actorbus::bus bus(bus_options{.workers = 8});
  redis::bridge bridge(bus, process::at(server.uri(), {}));
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  auto work =
      bridge.consume<std::string>("work",
                                  [&](const std::string&) {
                                    const int now = ++inside;
                                    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                                    }
                                    all_in.pass();
                                    --inside;
                                  },
                                  {.group = "g", .max_in_flight = 10, .concurrency = 4, .run_on = where});
  const opens_at_the_end guard(all_in);
  REQUIRE(all_in.reached(4));
  REQUIRE(eventually([&] { return pending(client) == 10; }));
  all_in.open();
  CHECK(eventually([&] { return bridge.stats().consumed == 50; }));
  CHECK(most == 4);
}

TEST_CASE("the server never has more pending than may be in flight, though reads do not wait for acknowledgements",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 1000));
  process a(server, {.command_timeout = patience});
  std::int64_t most = 0;
  work_done done;
  const auto work = a.redis.consume<std::string>("work",
                                                 [&](const event<std::string>& e) {
                                                   if (done.count() % 3 == 0) most = std::max(most, pending(client));
                                                   done.add(e);
                                                 },
                                                 {.group = "g", .max_in_flight = 8});
  CHECK(eventually([&] { return a.redis.stats().consumed == 1000; }));
  CHECK(done.values() == numbers(1, 1000));
  CHECK(most <= 8);
  CHECK(most > 1);
}

TEST_CASE("an event handled is acknowledged while the next one's handler still runs", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"quick", "slow", "later"});
  process a(server);
  gate held;
  auto work = a.redis.consume<std::string>("work",
                                           [&](const std::string& value) {
                                             if (value == "slow") held.pass();
                                           },
                                           {.group = "g"});
  const opens_at_the_end guard(held);
  REQUIRE(held.reached());
  CHECK(eventually([&] { return pending(client) == 2; }));
}

TEST_CASE("a slow handler holds up no other event while another may run", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"slow"});
  process a(server);
  gate held;
  work_done done;
  auto work = a.redis.consume<std::string>("work",
                                           [&](const event<std::string>& e) {
                                             if (*e == "slow") held.pass();
                                             done.add(e);
                                           },
                                           {.group = "g", .concurrency = 2});
  const opens_at_the_end guard(held);
  REQUIRE(held.reached());
  add_work(client, numbers(1, 200));
  CHECK(eventually([&] { return done.count() == 200; }));
  CHECK(eventually([&] { return pending(client) == 1; }));
}

TEST_CASE("a new group begins where it is told to", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"old"});
  process a(server);
  work_done done;
  const auto from = GENERATE(replay::all(), replay::live(), replay::since(std::chrono::system_clock::now() + 24h));
  const auto work = a.redis.consume<std::string>("work", done.handler(), {.group = "g", .from = from});
  REQUIRE(a.redis.wait_ready(patience));
  if (from.kind() == replay_kind::since) {
    const auto tomorrow = redis::stream_id::at(std::chrono::system_clock::now() + 48h);
    client.run("XADD", "t:work", tomorrow.to_string(), "data", "new");
  } else {
    add_work(client, {"new"});
  }
  REQUIRE(eventually([&] { return done.count("new") == 1; }));
  CHECK(done.count("old") == (from.kind() == replay_kind::all ? 1 : 0));
}

TEST_CASE("events of every format come to a consumer, flat fields too", "[redis][group]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::litestar,
                               redis::format::packed, redis::format::watermill);
  CAPTURE(redis::to_string(format));
  const redis_server server;
  process a(server);
  work_done done;
  a.redis.stream<std::string>("work", {.direction = redis::direction::out, .format = format});
  const auto work = a.redis.consume<std::string>("work", done.handler(), {.group = "g"});  // the route's format
  for (const auto& each : numbers(1, 300)) a.bus.topic<std::string>("work").publish(each);
  REQUIRE(eventually([&] { return done.count() >= 300; }));
  CHECK(done.values() == numbers(1, 300));

  using map = std::map<std::string, std::string>;
  redis_client client(server);
  std::promise<map> came;
  const auto maps = a.redis.consume<map>("lamps", [&](const map& m) { came.set_value(m); }, {.group = "g"});
  client.run("XADD", "t:lamps", "*", "name", "desk", "state", "on");
  CHECK(came.get_future().get() == map{{"name", "desk"}, {"state", "on"}});
}

TEST_CASE("an option that cannot be is refused by its name", "[redis][group]") {
  process a("unix:///nonexistent/redis.sock");
  const auto refused = [&](const redis::consume_options& with) {
    try {
      const auto work = a.redis.consume<std::string>(
          "work", [](const std::string&) {}, with);
    } catch (const bus_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK(mentions(refused({}), "options.group"));
  CHECK(mentions(refused({.group = "g", .max_in_flight = 0}), "options.max_in_flight"));
  CHECK(mentions(refused({.group = "g", .concurrency = 0}), "options.concurrency"));
  CHECK(mentions(refused({.group = "g", .concurrency = 1025}), "options.concurrency"));
  CHECK(mentions(refused({.group = "g", .max_deliveries = 0}), "options.max_deliveries"));
  CHECK(mentions(refused({.group = "g", .claim_after = 9ms}), "options.claim_after"));
  CHECK(mentions(refused({.group = "g", .forget_after = 9ms}), "options.forget_after"));
  CHECK(mentions(refused({.group = "g", .dead_letter = "work"}), "options.dead_letter"));
  CHECK(mentions(refused({.group = "g", .dead_letter = "no name"}), "options.dead_letter"));
  CHECK(mentions(refused({.group = "g", .from = replay::last(3)}), "options.from"));
  CHECK(mentions(refused({.group = "g", .run_on = run_on::topic}), "options.run_on"));
  CHECK(mentions(refused({.group = "g", .retry_first = 0ms}), "options.retry_first"));
  CHECK(mentions(refused({.group = "g", .retry_first = 2s, .retry_most = 1s}), "options.retry_first"));
  CHECK(mentions(refused({.group = "g", .format = redis::format::fields}), "fields"));
  CHECK(error_of([&] { (void)a.redis.consume<std::string>("work.*", [](const std::string&) {}, {.group = "g"}); }) ==
        errc::invalid_topic);
  a.redis.close(0s);
  CHECK(error_of([&] { (void)a.redis.consume<std::string>("work", [](const std::string&) {}, {.group = "g"}); }) ==
        errc::closed);
}
