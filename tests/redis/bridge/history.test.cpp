// What is read back of a stream: for a caller, and for subscribers that ask for more than their topic keeps.
#include <limits>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("history gives the last events, oldest first", "[redis][history]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  REQUIRE(a.redis.wait_ready(patience));
  CHECK(a.redis.history<std::string>("x", 10).empty());
  for (const auto& each : numbers(1, 50)) client.run("XADD", "t:x", "*", "data", each);
  const auto past = a.redis.history<std::string>("x", 10);
  REQUIRE(past.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) CHECK(*past[i] == std::to_string(41 + i));
  CHECK(past[0].topic() == "x");
  CHECK(past[0].sequence() == 0);
  CHECK(past[0].headers().contains("redis.id"));
  CHECK(a.redis.history<std::string>("x", 0).empty());
  CHECK(a.redis.history<std::string>("x", 100).size() == 50);
}

TEST_CASE("a subscriber that asks for more than the topic keeps gets the older part from the stream",
          "[redis][history]") {
  const redis_server server;
  process a(server);
  auto topic = a.bus.topic<std::string>("x", {.history = 10});
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 1000)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  diary all;
  diary last;
  const auto s = topic.subscribe(all.handler(), {.from = replay::all()});
  const auto t = topic.subscribe(last.handler(), {.from = replay::last(600)});
  topic.publish("live");
  REQUIRE(eventually([&] { return all.ends_with("live") && last.ends_with("live"); }));
  auto wanted = numbers(1, 1000);
  wanted.push_back("caught up");
  wanted.push_back("live");
  CHECK(all.get() == wanted);
  wanted.erase(wanted.begin(), wanted.begin() + 400);
  CHECK(last.get() == wanted);
}

TEST_CASE("a subscriber that asks for events since a time gets those of the stream, then what comes live",
          "[redis][history]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : numbers(1, 10)) client.run("XADD", "t:x", each + "-0", "data", each);
  a.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  diary told;
  const std::chrono::system_clock::time_point middle(6ms);
  const auto s = topic.subscribe(told.handler(), {.from = replay::since(middle)});
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  client.run("XADD", "t:x", "*", "data", "live");
  REQUIRE(eventually([&] { return told.ends_with("live"); }));
  auto wanted = numbers(6, 10);
  wanted.insert(wanted.end(), {"caught up", "live"});
  CHECK(told.get() == wanted);
}

TEST_CASE("history reads as many pages as it takes", "[redis][history]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 2000)) client.run("XADD", "t:x", "*", "data", each);
  const auto values = [&](std::size_t limit) {
    lines result;
    for (const auto& each : a.redis.history<std::string>("x", limit)) result.push_back(*each);
    return result;
  };
  CHECK(values(1500) == numbers(501, 2000));
  CHECK(values(std::numeric_limits<std::size_t>::max()) == numbers(1, 2000));
}
