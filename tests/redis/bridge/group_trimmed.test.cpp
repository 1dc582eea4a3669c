// Entries that are trimmed while somebody of the group has them pending.
#include <atomic>
#include <stdexcept>

#include "tests/redis/bridge/group_fixture.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Events, and notices with their ranges.
struct account {
  auto handler() {
    return overloaded{[this](const event<std::string>& e) { all.add(*e); },
                      [this](const trimmed& t) { all.add(t.first + " to " + t.last); }};
  }
  diary all;
};

std::string range(const redis_reply& entries, std::size_t from, std::size_t to) {
  return entries[from][0].text() + " to " + entries[to][0].text();
}

}  // namespace

TEST_CASE("what somebody had pending when it was trimmed is told to who would have taken it up", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  client.run("XGROUP", "CREATE", "t:work", "g", "0", "MKSTREAM");
  add_work(client, numbers(1, 9));
  const auto all = client.run("XRANGE", "t:work", "-", "+");
  const std::string name = GENERATE("another", "its own");
  client.run("XREADGROUP", "GROUP", "g", name, "COUNT", "7", "STREAMS", "t:work", ">");
  client.run("XDEL", "t:work", all[5][0].text());
  client.run("XTRIM", "t:work", "MAXLEN", "5");  // 4, 5, 7, 8, 9
  process a(server);
  account told;
  const auto work =
      a.redis.consume<std::string>("work", told.handler(), {.group = "g", .consumer = "its own", .claim_after = 10ms});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 5 && told.all.get().size() == 7; }));
  CHECK(told.all.has(range(all, 0, 2)));
  CHECK(told.all.has(range(all, 5, 5)));
  CHECK(pending(client) == 0);
  CHECK(a.redis.stats().gaps == 2);
  CHECK(a.redis.stats().redelivered == 3);
  CHECK(a.redis.stats().claimed == (name == "another" ? 3 : 0));
}

TEST_CASE("an event that failed and was trimmed before it came again is told as trimmed", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  account told;
  redis_client trimmer(server);
  auto with = overloaded{[&](const event<std::string>& e) {
                           told.all.add(*e);
                           trimmer.run("XTRIM", "t:work", "MAXLEN", "0");
                           throw std::runtime_error("no good");
                         },
                         [&](const trimmed& t) { told.all.add(t.first + " to " + t.last); }};
  // It stays this consumer's several times over while it rests.
  const auto work = a.redis.consume<std::string>(
      "work", with, {.group = "g", .claim_after = 50ms, .retry_first = 300ms, .retry_most = 300ms});
  const std::string id = client.run("XADD", "t:work", "*", "data", "bad").text();
  REQUIRE(eventually([&] { return told.all.get().size() == 2; }));
  CHECK(told.all.get() == lines{"bad", id + " to " + id});
  CHECK(eventually([&] { return pending(client) == 0 && a.redis.stats().in_hand == 0; }));
}

TEST_CASE("an event that was trimmed while its handler worked, and failed for good, is a dead letter",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  gate held;
  const auto work = a.redis.consume<std::string>("work",
                                                 [&](const std::string&) {
                                                   held.pass();
                                                   throw std::runtime_error("no good");
                                                 },
                                                 {.group = "g", .max_deliveries = 1, .claim_after = 20ms});
  const opens_at_the_end guard(held);
  add_work(client, {"bad"});
  REQUIRE(held.reached());
  client.run("XTRIM", "t:work", "MAXLEN", "0");
  const auto before = a.redis.stats().commands;
  REQUIRE(
      eventually([&] { return a.redis.stats().commands >= before + 20; }));  // it said again and again that it lives
  held.open();
  REQUIRE(eventually([&] { return a.redis.stats().dead_letters == 1; }));
  CHECK(entries(client, "t:work.dead").at(0).at("data") == "bad");
  CHECK(pending(client) == 0);
}

TEST_CASE("what was deleted from the middle of a stream while a consumer had it in hand is handled", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  gate held;
  account told;
  const auto work = a.redis.consume<std::string>("work",
                                                 overloaded{[&](const event<std::string>& e) {
                                                              if (*e == "2") held.pass();
                                                              told.all.add(*e);
                                                              if (*e == "2") throw std::runtime_error("no good");
                                                            },
                                                            [&](const trimmed&) { told.all.add("trimmed"); }},
                                                 {.group = "g", .max_deliveries = 1, .claim_after = 20ms});
  const opens_at_the_end guard(held);
  add_work(client, numbers(1, 4));
  REQUIRE(held.reached());
  REQUIRE(eventually([&] { return a.redis.stats().in_hand == 3; }));
  const auto all = client.run("XRANGE", "t:work", "-", "+");
  client.run("XDEL", "t:work", all[1][0].text(), all[2][0].text());  // one in the handler, and one behind it
  const auto before = a.redis.stats().commands;
  REQUIRE(
      eventually([&] { return a.redis.stats().commands >= before + 20; }));  // it said again and again that it lives
  held.open();
  REQUIRE(eventually([&] { return a.redis.stats().dead_letters == 1 && told.all.get().size() >= 4; }));
  CHECK(told.all.get() == numbers(1, 4));
  CHECK(entries(client, "t:work.dead").at(0).at("data") == "2");
  CHECK(eventually([&] { return pending(client) == 0; }));
}

TEST_CASE("an event trimmed while its handler worked, and struck off by another consumer, is a dead letter if it fails",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  process b(server);
  gate held;
  account other;
  const auto work = a.redis.consume<std::string>("work",
                                                 [&](const std::string&) {
                                                   held.pass();
                                                   throw std::runtime_error("no good");
                                                 },
                                                 {.group = "g", .max_deliveries = 1, .claim_after = 20ms});
  const opens_at_the_end guard(held);
  add_work(client, {"bad"});
  REQUIRE(held.reached());
  const auto all = client.run("XRANGE", "t:work", "-", "+");
  client.run("XTRIM", "t:work", "MAXLEN", "0");
  const auto patient = b.redis.consume<std::string>("work", other.handler(), {.group = "g", .claim_after = 20ms});
  REQUIRE(eventually([&] { return other.all.has(range(all, 0, 0)) && pending(client) == 0; }));
  const auto before = a.redis.stats().commands;
  REQUIRE(eventually([&] { return a.redis.stats().commands >= before + 20; }));  // it has heard of it
  held.open();
  REQUIRE(eventually([&] { return a.redis.stats().dead_letters == 1 && a.redis.stats().in_hand == 0; }));
  CHECK(entries(client, "t:work.dead").at(0).at("data") == "bad");
}
