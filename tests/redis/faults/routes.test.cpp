// Routes under the bridge's feet: they end, or cannot send what they are given.
#include <stdexcept>
#include <string>

#include <bus/codec.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Refuses to become bytes when it is below zero.
struct stubborn {
  int number;
};

}  // namespace

template <>
struct actorbus::codec<stubborn> {
  static constexpr std::string_view content_type = "text/plain";
  static void encode(const stubborn& value, std::string& to) {
    if (value.number < 0) throw std::runtime_error("below zero");
    to += std::to_string(value.number);
  }
  static stubborn decode(std::string_view from) { return {std::stoi(std::string(from))}; }
};

TEST_CASE("events that cannot be encoded, however many in a row, hold up nothing behind them",
          "[redis][faults][routes]") {
  const bool by_stream = GENERATE(true, false);
  const bool deduplicate = by_stream && GENERATE(true, false);
  const auto format = GENERATE(redis::format::native, redis::format::packed);
  CAPTURE(by_stream, deduplicate, redis::to_string(format));
  const redis_server server;
  process a(server), b(server);
  auto in = b.bus.topic<stubborn>("x").inbox();
  auto topic = a.bus.topic<stubborn>("x");
  for (auto* each : {&a, &b}) {
    if (by_stream) {
      each->redis.stream<stubborn>("x", {.format = format, .overflow = overflow::block, .deduplicate = deduplicate});
    } else {
      each->redis.pubsub<stubborn>("x", {.format = format, .overflow = overflow::block});
    }
    REQUIRE(each->redis.wait_ready(patience));
  }
  constexpr int bad = 5000;
  for (int i = 1; i <= bad; ++i) topic.publish(stubborn{-i});
  topic.publish(stubborn{7});
  const auto one = in.next(patience);
  REQUIRE(one);
  CHECK((*one)->number == 7);
  CHECK(a.redis.stats().refused == bad);
}

TEST_CASE("a route that ends while its events are on their way leaves the others in peace", "[redis][faults][routes]") {
  const redis_server server;
  process a(server, {.health_check = 100ms});
  auto in = a.bus.topic<std::string>("kept").inbox();
  a.redis.stream<std::string>("kept", {.format = redis::format::native});
  auto kept = a.bus.topic<std::string>("kept");
  for (int round = 0; round < 50; ++round) {
    const std::string name = "t" + std::to_string(round);
    const auto topic = a.bus.topic<std::string>(name);
    switch (round % 3) {
      case 0:
        a.redis.pubsub<std::string>(name);
        break;
      case 1:
        a.redis.stream<std::string>(name, {.deduplicate = true});
        break;
      default:
        a.redis.stream<std::string>(name, {.from = replay::all()});
        break;
    }
    if (round % 2 == 0) REQUIRE(a.redis.wait_ready(patience));
    auto out = a.bus.topic<std::string>(name).publisher();
    for (int i = 0; i < 1000; ++i) out.publish(std::string(100, 'x'));
    kept.publish(name);
    CHECK(a.redis.unroute(name));
  }
  REQUIRE(a.redis.flush(patience));
  CHECK(redis_client(server).run("XLEN", "t:kept").integer() == 50);
  CHECK(a.redis.stats().connections_lost == 0);
}

TEST_CASE("a topic carried by a stream is not sent by pub/sub beside it, however much is published",
          "[redis][faults][routes]") {
  const redis_server server;
  process a(server);
  a.redis.stream<std::string>("s.x", {.direction = redis::direction::out});
  a.redis.pubsub<std::string>("s.*", {.direction = redis::direction::out});
  auto shadowed = a.bus.topic<std::string>("s.x").publisher();
  redis_client client(server);
  client.send({"SUBSCRIBE", "t:s.x", "t:s.y"});
  client.read();
  client.read();
  for (int i = 0; i < 5000; ++i) shadowed.publish("by the stream");
  REQUIRE(a.redis.flush(patience));
  a.bus.topic<std::string>("s.y").publish("by pub/sub");
  CHECK(client.read()[1].text() == "t:s.y");
}
