// What a consumer of a group is told beside its events, and which consumers are forgotten.
#include <atomic>
#include <stdexcept>

#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("what was trimmed while no consumer was there is told before what is left", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  {
    process before(server);
    work_done done;
    auto work = before.redis.consume<std::string>("work", done.handler(), {.group = "g"});
    add_work(client, {"1"});
    REQUIRE(eventually([&] { return pending(client) == 0 && done.count() == 1; }));
    work.stop(patience);
  }
  add_work(client, numbers(2, 9));
  client.run("XTRIM", "t:work", "MAXLEN", "2");
  process a(server);
  diary told;
  const auto work = a.redis.consume<std::string>("work", told.handler(), {.group = "g"});
  REQUIRE(eventually([&] { return told.get().size() >= 3; }));
  CHECK(told.get() == lines{"trimmed", "8", "9"});
  CHECK(a.redis.stats().gaps == 1);
}

TEST_CASE("what is trimmed while a consumer is busy is told once, with its range", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  gate held;
  std::mutex mutex;
  std::vector<trimmed> told;
  work_done done;
  auto work = a.redis.consume<std::string>("work",
                                           overloaded{[&](const event<std::string>& e) {
                                                        if (*e == "1") held.pass();
                                                        done.add(e);
                                                      },
                                                      [&](const trimmed& t) {
                                                        CHECK(t.topic == "work");
                                                        std::lock_guard lock(mutex);
                                                        told.push_back(t);
                                                      }},
                                           {.group = "g", .max_in_flight = 1});
  const opens_at_the_end guard(held);
  add_work(client, {"1"});
  REQUIRE(held.reached());
  add_work(client, numbers(2, 9));
  const auto all = client.run("XRANGE", "t:work", "-", "+");
  client.run("XTRIM", "t:work", "MAXLEN", "2");
  held.open();
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return done.count() >= 3 && !told.empty();
  }));
  add_work(client, {"10"});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 4; }));
  CHECK(done.values() == std::vector<std::string>{"1", "8", "9", "10"});
  std::lock_guard lock(mutex);
  REQUIRE(told.size() == 1);
  const auto id = [&](std::size_t i) { return *redis::stream_id::parse(all[i][0].text()); };
  CHECK(*redis::stream_id::parse(told[0].first) <= id(1));
  CHECK(*redis::stream_id::parse(told[0].last) >= id(6));
}

TEST_CASE("what is trimmed right behind the making of a group is told, also if that took its time", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  client.run("CLIENT", "PAUSE", 100'000, "WRITE");  // the group is not made, and what is known of it can be asked for
  process a(server);
  gate held;
  diary told;
  auto in_turn = overloaded{[&](const event<std::string>& e) {
                              if (*e == "1") held.pass();
                              told.add(*e);
                            },
                            [&](const trimmed&) { told.add("trimmed"); }};
  const auto work =
      a.redis.consume<std::string>("work", in_turn, {.group = "g", .max_in_flight = 1, .forget_after = 0s});
  const opens_at_the_end guard(held);
  REQUIRE(eventually([&] { return mentions(client.run("INFO", "commandstats").text(), "cmdstat_xpending"); }));
  client.run("CLIENT", "UNPAUSE");
  REQUIRE(eventually([&] { return pending(client) == 0; }));
  add_work(client, {"1"});
  REQUIRE(held.reached());
  add_work(client, numbers(2, 9));
  client.run("XTRIM", "t:work", "MAXLEN", "2");
  held.open();
  CHECK(eventually([&] { return told.has("trimmed"); }));
}

TEST_CASE("a stream deleted under a group, or everything flushed, is told before what comes then", "[redis][group]") {
  const std::vector<std::string> how =
      GENERATE(std::vector<std::string>{"DEL", "t:work"}, std::vector<std::string>{"FLUSHALL"});
  const redis_server server;
  redis_client client(server);
  process a(server);
  diary told;
  const auto work = a.redis.consume<std::string>("work", told.handler(), {.group = "g"});
  lines wanted;
  for (int i = 1; i <= 5; ++i) {
    add_work(client, {std::to_string(i)});
    wanted.push_back(std::to_string(i));
    REQUIRE(eventually([&] { return told.get().size() == wanted.size(); }));
    client.run(how);
    wanted.push_back("reset");
    REQUIRE(eventually([&] { return told.get().size() == wanted.size(); }));
  }
  auto all = told.get();
  for (auto& each : all) each = each.substr(0, 5);
  CHECK(all == wanted);
}

TEST_CASE("a group that was destroyed alone is no loss, and nothing is told", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  diary told;
  const auto work = a.redis.consume<std::string>("work", told.handler(), {.group = "g"});
  add_work(client, {"1"});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 1; }));
  client.run("XGROUP", "DESTROY", "t:work", "g");
  add_work(client, {"2"});
  REQUIRE(eventually([&] { return told.has("2") && pending(client) == 0; }));
  for (const auto& each : told.get()) CHECK((each == "1" || each == "2"));
}

TEST_CASE("a group that was destroyed, and its stream trimmed: what nobody can have handled is told",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  diary told;
  gate held;
  const auto work = a.redis.consume<std::string>("work",
                                                 overloaded{[&](const event<std::string>& e) {
                                                              told.add(*e);
                                                              if (*e == "1") held.pass();
                                                            },
                                                            [&](const trimmed&) { told.add("trimmed"); }},
                                                 {.group = "g", .max_in_flight = 1});
  const opens_at_the_end guard(held);
  add_work(client, {"1"});
  REQUIRE(held.reached());
  add_work(client, numbers(2, 9));
  client.run("MULTI");
  client.run("XGROUP", "DESTROY", "t:work", "g");
  client.run("XTRIM", "t:work", "MAXLEN", "2");
  client.run("EXEC");
  held.open();
  REQUIRE(eventually([&] { return told.has("9") && pending(client) == 0; }));
  CHECK(told.get() == lines{"1", "trimmed", "8", "9"});
}

TEST_CASE("a handler that throws at a notice is counted, and events go on", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  work_done done;
  const auto work = a.redis.consume<std::string>(
      "work", overloaded{done.handler(), [](const epoch_reset&) { throw std::runtime_error("no such epoch"); }},
      {.group = "g"});
  add_work(client, {"1"});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 1; }));
  client.run("DEL", "t:work");
  REQUIRE(eventually([&] { return a.redis.stats().handlers_failed == 1; }));
  add_work(client, {"2"});
  CHECK(eventually([&] { return done.count() == 2 && pending(client) == 0; }));
}

TEST_CASE("consumers that are silent for long are forgotten, those with something pending never", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  client.run("XGROUP", "CREATE", "t:work", "g", "$", "MKSTREAM");
  add_work(client, {"1"});
  client.run("XREADGROUP", "GROUP", "g", "gone, with one", "STREAMS", "t:work", ">");
  for (int i = 0; i < 5; ++i) client.run("XGROUP", "CREATECONSUMER", "t:work", "g", "gone " + std::to_string(i));
  process a(server);
  work_done done;
  const auto work = a.redis.consume<std::string>(
      "work", done.handler(), {.group = "g", .consumer = "alive", .claim_after = 1h, .forget_after = 50ms});
  add_work(client, {"2"});
  REQUIRE(eventually([&] { return done.count() == 1; }));
  CHECK(eventually([&] { return consumers(client) == std::set<std::string>{"alive", "gone, with one"}; }));
  CHECK(eventually([&] { return pending(client) == 1; }));
}

TEST_CASE("a consumer that was forgotten while it waited gets the next event all the same", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  work_done done;
  const auto work = a.redis.consume<std::string>("work", done.handler(), {.group = "g", .consumer = "quiet"});
  add_work(client, {"1"});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 1; }));
  client.run("XGROUP", "DELCONSUMER", "t:work", "g", "quiet");
  add_work(client, {"2"});
  CHECK(eventually([&] { return done.count() == 2 && pending(client) == 0; }));
}
