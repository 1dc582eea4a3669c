// A bridge as a whole: its routes, its states, its end.
#include <algorithm>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <vector>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("on_state tells each connection, and stats count", "[redis][state]") {
  redis_server server;
  process a(server);
  std::mutex mutex;
  std::vector<redis::phase> phases;
  std::string reason;
  a.redis.on_state([&](const redis::state& s) {
    std::lock_guard lock(mutex);
    phases.push_back(s.phase);
    if (s.phase == redis::phase::lost) reason = s.reason;
  });
  a.redis.pubsub<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  REQUIRE(eventually([&] { return a.redis.stats().connections_lost == 1; }));
  REQUIRE(eventually([&] { return a.redis.wait_ready(patience) && a.redis.stats().connections_made == 3; }));
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return std::count(phases.begin(), phases.end(), redis::phase::lost) == 1 && phases.back() == redis::phase::ready;
  }));
  CHECK(reason.find("commands: ") == 0);
  a.redis.close(1s);
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return phases.back() == redis::phase::closed;
  }));
  CHECK(a.redis.stats().connections_made == 3);
  CHECK(a.redis.stats().bytes_out > 0);
}

TEST_CASE("stats count bytes, what waits, what is on its way, echoes, and what a full topic did not take",
          "[redis][state]") {
  redis_server server;
  redis_client client(server);
  process a(server);
  auto echoing = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.format = redis::format::raw});
  auto full = a.bus.topic<std::string>("full", {.capacity = 1, .lane = 1});
  auto in = full.inbox({.overflow = overflow::block});
  a.redis.pubsub<std::string>("full", {.capacity = 4});
  a.redis.stream<std::string>("s", {.direction = redis::direction::out});
  auto slow = a.bus.topic<std::string>("slow", {.capacity = 1, .lane = 1});
  auto slowly = slow.inbox({.overflow = overflow::block});
  a.redis.stream<std::string>("slow", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  echoing.publish("1");
  REQUIRE(eventually([&] { return a.redis.stats().echoes == 1; }));
  for (int i = 0; i < 100; ++i) client.run("PUBLISH", "t:full", std::to_string(i));
  REQUIRE(eventually([&] { return a.redis.stats().dropped_in > 80; }));
  CHECK(a.redis.stats().bytes_in > 100);
  for (int i = 0; i < 100; ++i) client.run("XADD", "t:slow", "*", "data", std::to_string(i));
  REQUIRE(eventually([&] { return a.redis.stats().waiting > 0; }));
  server.suspend();
  a.bus.topic<std::string>("s").publish("1");
  REQUIRE(eventually([&] { return a.redis.stats().in_flight == 1; }));
  server.resume();
  REQUIRE(eventually([&] { return a.redis.stats().in_flight == 0; }));
}

TEST_CASE("an idle connection is kept alive by TCP", "[redis][state]") {
  const redis_server server;
  process a("redis://127.0.0.1:" + std::to_string(server.port()));
  a.redis.pubsub<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  // Of each socket: number, local address, remote address, state, queues, kind of its timer (2: keep alive).
  const auto kept_alive = [&] {
    std::ifstream sockets("/proc/net/tcp");
    std::size_t count = 0;
    for (std::string line; std::getline(sockets, line);) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer;
      words >> number >> local >> remote >> state >> queues >> timer;
      const auto colon = remote.find(':');
      if (colon == remote.npos || std::stoul(remote.substr(colon + 1), nullptr, 16) != server.port()) continue;
      if (timer.starts_with("02:")) ++count;
    }
    return count;
  };
  CHECK(eventually([&] { return kept_alive() == 2; }));
}

TEST_CASE("an orderly end is told as closed, not as a lost connection", "[redis][state]") {
  const bool by_bus = GENERATE(false, true);
  const redis_server server;
  std::mutex mutex;
  std::vector<redis::phase> phases;
  {
    process a(server);
    a.redis.on_state([&](const redis::state& s) {
      std::lock_guard lock(mutex);
      phases.push_back(s.phase);
    });
    a.redis.pubsub<std::string>("x");
    a.redis.stream<std::string>("y");
    REQUIRE(a.redis.wait_ready(patience));
    if (by_bus) {
      a.bus.close(patience);
    } else {
      a.redis.close(patience);
      REQUIRE(eventually([&] {
        std::lock_guard lock(mutex);
        return !phases.empty() && phases.back() == redis::phase::closed;
      }));
    }
    a.redis.close(0s);
    CHECK(a.redis.stats().connections_lost == 0);
  }
  CHECK(std::count(phases.begin(), phases.end(), redis::phase::lost) == 0);
}

TEST_CASE("overlapping routes are an error that names both, another way or another kind is none", "[redis][routes]") {
  const redis_server server;
  process a(server);
  a.redis.pubsub<std::string>("orders.*");
  try {
    a.redis.pubsub<std::string>("*.created");
    FAIL("no error");
  } catch (const bus_error& error) {
    CHECK(error.code() == errc::invalid_argument);
    CHECK(std::string(error.what()).find("'orders.*'") != std::string::npos);
    CHECK(std::string(error.what()).find("'*.created'") != std::string::npos);
  }
  CHECK_FALSE(error_of([&] { a.redis.pubsub<std::string>("orders.*.x"); }));
  CHECK(error_of([&] { a.redis.pubsub<std::string>("orders.>"); }) == errc::invalid_argument);
  CHECK_FALSE(error_of([&] { a.redis.pubsub<std::string>("in", {.direction = redis::direction::in}); }));
  CHECK_FALSE(error_of([&] { a.redis.pubsub<std::string>("in", {.direction = redis::direction::out}); }));
  CHECK(error_of([&] { a.redis.pubsub<std::string>("in"); }) == errc::invalid_argument);
  CHECK(a.redis.unroute("orders.*"));
  CHECK_FALSE(a.redis.unroute("orders.*"));
  CHECK_FALSE(error_of([&] { a.redis.pubsub<std::string>("*.created"); }));
}

TEST_CASE("wrong names, types, formats and URIs are refused at once", "[redis][routes]") {
  const redis_server server;
  process a(server);
  auto ints = a.bus.topic<int>("ints");
  CHECK(error_of([&] { a.redis.pubsub<std::string>("a..b"); }) == errc::invalid_topic);
  CHECK(error_of([&] { a.redis.pubsub<std::string>("a.b*"); }) == errc::invalid_pattern);
  CHECK(error_of([&] { a.redis.pubsub<std::string>("ints"); }) == errc::type_mismatch);
  CHECK(error_of([&] { a.redis.pubsub<std::string>("x", {.format = redis::format::watermill}); }) ==
        errc::invalid_argument);
  CHECK(error_of([&] { redis::bridge(a.bus, {.uri = "http://x"}); }) == errc::invalid_argument);
  CHECK(error_of([&] { redis::bridge(a.bus, {.uri = "rediss://localhost"}); }) == errc::unsupported);
  for (const auto time : {0ms, -1ms, std::chrono::milliseconds::max() / 2'000'000}) {
    CAPTURE(time.count());
    CHECK(error_of([&] { redis::bridge(a.bus, {.connect_timeout = time}); }) == errc::invalid_argument);
    CHECK(error_of([&] { redis::bridge(a.bus, {.command_timeout = time}); }) == errc::invalid_argument);
  }
  CHECK(error_of([&] { redis::bridge(a.bus, {.health_check = -1ms}); }) == errc::invalid_argument);
  a.redis.close(1s);
  CHECK(error_of([&] { a.redis.pubsub<std::string>("y"); }) == errc::closed);
}

TEST_CASE("a closing bus flushes its bridge", "[redis][close]") {
  const redis_server server;
  redis_client client(server);
  client.send({"SUBSCRIBE", "t:x"});
  client.read();
  std::size_t received = 0;
  {
    process a(server);
    a.redis.pubsub<std::string>("x", {.direction = redis::direction::out, .format = redis::format::raw});
    auto topic = a.bus.topic<std::string>("x");
    for (int i = 0; i < 5000; ++i) topic.publish(std::to_string(i));
    CHECK(a.bus.close(patience).drained);
  }
  for (; received < 5000; ++received) REQUIRE(client.read()[2].text() == std::to_string(received));
}

TEST_CASE("a bridge may outlive its bus, and go before it", "[redis][close]") {
  const redis_server server;
  auto bus = std::make_optional<actorbus::bus>();
  auto first = std::make_optional<redis::bridge>(*bus, redis::bridge_options{.uri = server.uri(), .prefix = "t:"});
  first->pubsub<std::string>("x");
  auto second = std::make_optional<redis::bridge>(*bus, redis::bridge_options{.uri = server.uri(), .prefix = "u:"});
  second->pubsub<std::string>("x");
  first.reset();
  bus->topic<std::string>("x").publish("1");
  bus.reset();
  redis_client client(server);
  client.run("PUBLISH", "u:x", "nobody is there");
  CHECK(second->wait_ready(patience));
  second.reset();
}

TEST_CASE("a route added later is ready when its own subscription or reading is, not before", "[redis][state]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  a.redis.pubsub<std::string>("p.0");
  a.redis.stream<std::string>("s.0");
  REQUIRE(a.redis.wait_ready(patience));
  for (std::size_t i = 1; i <= scaled(20); ++i) {
    const std::string number = std::to_string(i);
    auto messages = a.bus.topic<std::string>("p." + number).inbox();
    auto entries = a.bus.topic<std::string>("s." + number).inbox();
    a.redis.pubsub<std::string>("p." + number);
    a.redis.stream<std::string>("s." + number);
    REQUIRE(a.redis.wait_ready(patience));
    client.run("PUBLISH", "t:p." + number, number);
    client.run("XADD", "t:s." + number, "*", "data", number);
    CHECK(read(messages, 1) == std::vector{number});
    CHECK(read(entries, 1) == std::vector{number});
  }
}
