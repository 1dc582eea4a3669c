// What publish/subscribe drops, how it is counted, and where it is told.
#include <span>
#include <stdexcept>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

struct unwritable {};

/// Until that line; then what was told.
lines read_until(inbox<std::string>& from, const std::string& last) {
  diary told;
  REQUIRE(eventually([&] {
    from.poll(told.handler());
    return told.has(last);
  }));
  return told.get();
}

}  // namespace

template <>
struct actorbus::codec<unwritable> {
  static constexpr std::string_view content_type = "application/octet-stream";
  static void encode(const unwritable&, std::string&) { throw std::runtime_error("it cannot be written"); }
  static unwritable decode(std::string_view) { return {}; }
};

TEST_CASE("what a route both ways drops before its first event has gone is told", "[redis][pubsub]") {
  const redis_server server;
  proxy between(server);
  between.refuse_connections();
  process a(between.uri(), {.retry_first = 1ms, .retry_most = 5ms}), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.capacity = 10});
  b.redis.pubsub<std::string>("x");
  REQUIRE(b.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 100)) from.publish(each);
  REQUIRE(a.bus.flush(patience));
  between.accept_connections();
  REQUIRE(eventually([&] { return told.has("100"); }));
  lines wanted = numbers(91, 100);
  wanted.insert(wanted.begin(), "gap: what its publisher sent was lost on the way");
  CHECK(told.get() == wanted);
}

TEST_CASE("events of packed messages are counted, kept and dropped one by one", "[redis][pubsub]") {
  const auto how = GENERATE(overflow::drop_oldest, overflow::latest);
  constexpr int count = 2000;
  const std::size_t most = how == overflow::latest ? 1 : 8;
  const redis_server server;
  process a(server), b(server);
  auto in = b.bus.topic<std::string>("x", {.capacity = 1, .lane = 1}).inbox({.overflow = overflow::block});
  auto from = a.bus.topic<std::string>("x").publisher();
  const auto as = redis::format::packed;
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out, .format = as});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in, .format = as, .overflow = how, .capacity = 8});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  auto all = numbers(1, count);
  from.publish_all(std::span<const std::string>(all));
  REQUIRE(eventually([&] { return a.redis.stats().out == count; }));
  const auto come = [&] {  // one is held beside those that wait
    const auto now = b.redis.stats();
    return now.in + now.dropped_in + now.waiting + 1;
  };
  REQUIRE(eventually([&] { return come() == count; }));
  CHECK(b.redis.stats().waiting == most);
  auto told = read_until(in, std::to_string(count));
  CHECK(std::erase_if(told, [](const auto& each) { return each.starts_with("gap: "); }) == (most == 1 ? 0 : 1));
  CHECK(told.size() + b.redis.stats().dropped_in == count);
  CHECK(a.redis.stats().commands < count);
}

TEST_CASE("what comes back to its sender takes no place among what waits, and is not missed", "[redis][pubsub]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri());
  auto topic = a.bus.topic<std::string>("x", {.capacity = 1, .lane = 1});
  auto in = topic.inbox({.overflow = overflow::block});
  a.redis.pubsub<std::string>("x", {.capacity = 4});
  REQUIRE(a.redis.wait_ready(patience));
  between.stall(forwarding::replies);
  for (const auto& each : numbers(1, 5)) client.run("PUBLISH", "t:x", each);
  client.send({"SUBSCRIBE", "t:x"});
  client.read();
  for (int i = 0; i < 20; ++i) {
    topic.publish("mine");
    REQUIRE(read(in, 1) == lines{"mine"});
    client.read();  // it has gone there
  }
  between.resume();
  REQUIRE(eventually([&] { return a.redis.stats().echoes == 20; }));
  CHECK(read_until(in, "5") == numbers(1, 5));
  CHECK(a.redis.stats().dropped_in == 0);
  CHECK(a.redis.stats().gaps == 0);
}

TEST_CASE("a flush waits for what cannot go out, too", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  a.redis.pubsub<unwritable>("x", {.direction = redis::direction::out});
  REQUIRE(a.redis.wait_ready(patience));
  auto from = a.bus.topic<unwritable>("x").publisher();
  constexpr int count = 5000;
  for (int i = 0; i < count; ++i) from.publish(unwritable{});
  REQUIRE(a.redis.flush(patience));
  CHECK(a.redis.stats().refused == count);
}

TEST_CASE("a full topic does not let the server's own limit decide what is dropped", "[redis][pubsub]") {
  const redis_server server({.directives = {"client-output-buffer-limit pubsub 1mb 1mb 0"}});
  redis_client client(server);
  process b(server);
  auto in = b.bus.topic<std::string>("x", {.capacity = 1, .lane = 1}).inbox({.overflow = overflow::block});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in, .overflow = overflow::block, .capacity = 64});
  REQUIRE(b.redis.wait_ready(patience));
  const std::string large(std::size_t{16} * 1024, 'x');
  for (std::size_t sent = 0; sent < std::size_t{4} * 1024 * 1024; sent += 16 * large.size()) {
    for (int i = 0; i < 16; ++i) client.run("PUBLISH", "t:x", large);
    REQUIRE(eventually([&] { return b.redis.stats().bytes_in >= sent + 16 * large.size(); }));
  }
  CHECK(b.redis.stats().connections_lost == 0);
  CHECK(b.redis.stats().dropped_in > 0);
}
