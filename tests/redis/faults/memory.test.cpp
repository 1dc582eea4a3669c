// What faults and large events leave behind: nothing.
#include <algorithm>
#include <thread>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/faults/memory_in_use.hpp"
#include "tests/redis/faults/traffic.hpp"
#include "tests/redis/proxy.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Retries at once, so that many connections are made in a short time.
const redis::bridge_options quick{.retry_first = 1ms, .retry_most = 2ms};

}  // namespace

TEST_CASE("connections that come and go leave no memory behind", "[redis][faults][memory]") {
  const redis_server server;
  proxy between(server);
  process a(between.uri(), quick);
  auto in = a.bus.topic<std::string>("s").inbox();
  a.redis.stream<std::string>("s", {.deduplicate = true});
  a.redis.pubsub<std::string>("p");
  REQUIRE(a.redis.wait_ready(patience));
  std::uint64_t lost = 0;
  const auto reconnect = [&](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      a.bus.topic<std::string>("s").publish("event");
      a.bus.topic<std::string>("p").publish("message");
      between.cut();
      lost += 3;
      REQUIRE(eventually([&] { return a.redis.stats().connections_lost >= lost && a.redis.wait_ready(0s); }));
      lost = a.redis.stats().connections_lost;
    }
    REQUIRE(a.redis.flush(patience));
    in.poll([](const auto&) {}, 1'000'000);
  };
  reconnect(50);
  const auto before = memory_in_use();
  reconnect(scaled(200));
  CHECK(eventually([&] { return memory_in_use() < before + mebibyte; }));
}

TEST_CASE("an event of 64 MiB goes through, and its memory comes back", "[redis][faults][memory]") {
  const way by = GENERATE(from_range(all_ways));
  const auto format = GENERATE(redis::format::native, redis::format::packed);
  CAPTURE(to_string(by), redis::to_string(format));
  const std::size_t large = std::max<std::size_t>(scaled(64), 8) * mebibyte;
  // A subscriber of that size is cut off by a server as it is delivered.
  const redis_server server({.directives = {"client-output-buffer-limit pubsub 0 0 0"}});
  process a(server), b(server);
  auto in = b.bus.topic<std::string>("x").inbox();
  redis::consumer work;
  for (auto* each : {&a, &b}) {
    if (by == way::pubsub) {
      each->redis.pubsub<std::string>("x", {.format = format});
    } else if (by != way::group || each == &a) {
      each->redis.stream<std::string>(
          "x", {.maxlen = 1, .format = format, .exact = true, .deduplicate = by == way::deduplicated});
    } else {
      work = each->redis.consume<std::string>(
          "x", [&](const std::string& what) { b.bus.topic<std::string>("x").publish(what); },
          {.group = "g", .format = format});
    }
    REQUIRE(each->redis.wait_ready(patience));
  }
  auto topic = a.bus.topic<std::string>("x");
  const auto pass = [&](std::string what) {
    const std::size_t size = what.size();
    const char first = what.front();
    topic.publish(std::move(what));
    const auto one = in.next(patience);
    REQUIRE(one);
    REQUIRE((*one)->size() == size);
    if ((*one)->find_first_not_of(first) != std::string::npos) FAIL("it has changed on its way");
  };
  pass("s");
  const auto before = memory_in_use();
  for (int i = 0; i < 3; ++i) pass(std::string(large, static_cast<char>('a' + i)));
  // The buffers that held them are given back with the next event.
  CHECK(eventually([&] {
    pass("s");
    std::this_thread::sleep_for(10ms);  // between two looks
    return memory_in_use() < before + large / 2;
  }));
  CHECK(a.redis.stats().connections_lost == 0);
  CHECK(b.redis.stats().connections_lost == 0);
}
