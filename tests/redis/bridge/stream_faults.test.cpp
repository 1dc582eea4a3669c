// Streams through faults: nothing is lost, and with de-duplication nothing doubled.
#include <map>
#include <set>
#include <thread>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/listener.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("with de-duplication every event arrives once and in order, through kills of a durable server",
          "[redis][stream][faults]") {
  redis_server server({.append_only = true});
  listener b(server);
  process a(server);
  a.redis.stream<std::string>("x",
                              {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  constexpr int count = 10'000;
  for (int i = 1; i <= count; ++i) {
    topic.publish(std::to_string(i));
    if (i == count / 3 || i == count / 2) server.restart();
  }
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] { return b.told.ends_with(std::to_string(count)); }));
  CHECK(b.told.events() == numbers(1, count));
}

TEST_CASE("connections cut in the middle of replies: nothing is lost, and with de-duplication nothing doubled",
          "[redis][stream][faults]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  proxy between(server);
  listener b(server);
  process a(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  a.redis.stream<std::string>(
      "x", {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = deduplicate});
  auto topic = a.bus.topic<std::string>("x");
  constexpr int count = 5'000;
  for (int i = 1; i <= count; ++i) {
    topic.publish(std::to_string(i));
    if (i % 500 == 0) between.cut_after(static_cast<std::uint64_t>(i % 77));
  }
  REQUIRE(a.redis.flush(patience));
  if (deduplicate) {
    REQUIRE(eventually([&] { return b.told.ends_with(std::to_string(count)); }));
    CHECK(b.told.events() == numbers(1, count));
  } else {
    REQUIRE(eventually([&] {
      const auto told = b.told.get();
      return std::set<std::string>(told.begin(), told.end()).size() >= count;
    }));
  }
  CHECK(a.redis.stats().connections_lost > 0);
}

TEST_CASE("a server out of memory is waited for, and with de-duplication the order stays", "[redis][stream][faults]") {
  const redis_server server;
  redis_client client(server);
  listener b(server);
  process a(server);
  a.redis.stream<std::string>("x",
                              {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : numbers(1, 100)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  client.run("CONFIG", "SET", "maxmemory", "1");
  for (const auto& each : numbers(101, 200)) topic.publish(each);
  REQUIRE(eventually([&] { return a.redis.stats().resent > 0; }));
  client.run("CONFIG", "SET", "maxmemory", "0");
  for (const auto& each : numbers(201, 300)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] { return b.told.ends_with("300"); }));
  CHECK(b.told.events() == numbers(1, 300));
}

TEST_CASE(
    "with de-duplication, what was on its way when all was flushed may come again, behind the reset, another entry",
    "[redis][stream][faults]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process b(server);
  diary told;
  std::set<std::string> ids;
  const auto s = b.bus.topic<std::string>("x").subscribe(overloaded{[&](const event<std::string>& e) {
                                                                      ids.emplace(e.headers().get("redis.id"));
                                                                      told.add(*e);
                                                                    },
                                                                    [&](const epoch_reset&) { told.add("reset"); }});
  b.redis.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in});
  process a(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : numbers(1, 3)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  between.stall(forwarding::replies);
  for (const auto& each : numbers(4, 6)) topic.publish(each);
  REQUIRE(eventually([&] { return told.ends_with("6"); }));
  client.run("FLUSHALL");  // takes the producer's mark, too
  between.cut();
  between.resume();
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] { return told.get().size() == 10; }));
  CHECK(told.get() == lines{"1", "2", "3", "4", "5", "6", "reset", "4", "5", "6"});
  b.bus.close(patience);
  CHECK(ids.size() == 9);
}

TEST_CASE("a script that the server forgot is loaded again, in the middle", "[redis][stream][faults]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  topic.publish("1");
  REQUIRE(a.redis.flush(patience));
  client.run("SCRIPT", "FLUSH");
  topic.publish("2");
  REQUIRE(a.redis.flush(patience));
  client.run("FLUSHALL");
  topic.publish("3");
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XLEN", "t:x").integer() == 1);
}

TEST_CASE("a key that is no stream refuses events, which are counted, and others go on", "[redis][stream][faults]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  redis_client client(server);
  client.run("SET", "t:s.bad", "a string");
  process a(server);
  a.redis.stream<std::string>("s.*", {.deduplicate = deduplicate});
  a.bus.topic<std::string>("s.bad").publish("1");
  a.bus.topic<std::string>("s.good").publish("2");
  a.bus.topic<std::string>("s.bad").publish("3");
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XLEN", "t:s.good").integer() == 1);
  CHECK(a.redis.stats().refused == 2);
}

TEST_CASE("a reader that is cut off loses and doubles nothing", "[redis][stream][faults]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process b(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  b.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  for (int i = 1; i <= 2000; ++i) {
    client.run("XADD", "t:x", "*", "data", std::to_string(i));
    if (i % 300 == 0) between.cut_after(static_cast<std::uint64_t>(i % 91));
  }
  REQUIRE(eventually([&] { return told.ends_with("2000"); }));
  CHECK(told.get() == numbers(1, 2000));
}

TEST_CASE("without de-duplication a server out of memory loses nothing, though the order may change",
          "[redis][stream][faults]") {
  const redis_server server;
  redis_client client(server);
  listener b(server);
  process a(server);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .overflow = overflow::block});
  auto topic = a.bus.topic<std::string>("x");
  std::thread squeeze([&] {
    redis_client other(server);
    for (int i = 0; i < 20; ++i) {
      other.run("CONFIG", "SET", "maxmemory", "1");
      other.run("CONFIG", "SET", "maxmemory", "0");
    }
  });
  for (const auto& each : numbers(1, 2000)) topic.publish(each);
  squeeze.join();
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] {
    const auto told = b.told.events();
    return std::set<std::string>(told.begin(), told.end()).size() == 2000;
  }));
  CHECK(b.told.events().size() == 2000);
}

TEST_CASE("an event that cannot go out is refused alone, not with those beside it", "[redis][stream]") {
  using fields = std::map<std::string, std::string>;
  const auto format = GENERATE(redis::format::fields, redis::format::native, redis::format::packed);
  CAPTURE(redis::to_string(format));
  const redis_server server;
  redis_client client(server);
  process a(server);
  a.redis.stream<fields>("x", {.direction = redis::direction::out, .format = format, .deduplicate = true});
  auto out = a.bus.topic<fields>("x").publisher();
  REQUIRE(a.redis.wait_ready(patience));
  fields many;
  for (const auto& each : numbers(1, 3'900)) many[each] = each;
  fields too_many = many;
  too_many["one"] = "more";
  headers crowd;
  for (const auto& each : numbers(1, 1'025)) crowd.set(each, each);
  out.publish(fields{{"n", "1"}});
  out.publish(many);
  out.publish(too_many);
  out.publish(fields{{"n", "2"}}, crowd);
  out.publish(fields{{"n", "3"}});
  REQUIRE(a.redis.flush(patience));
  const auto stats = a.redis.stats();
  // Packed, fields are one payload, and `fields` carries no headers.
  const bool takes_all_fields = format == redis::format::packed;
  CHECK(stats.refused == (takes_all_fields ? 1u : 2u));
  CHECK(stats.out == 5 - stats.refused);
}

TEST_CASE("a stream that cannot be read any more keeps no other from being read, and is read once it can be",
          "[redis][stream][faults]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  diary good, bad;
  const auto of_good = b.bus.topic<std::string>("good").subscribe(good.handler());
  const auto of_bad = b.bus.topic<std::string>("bad").subscribe(bad.handler());
  for (const auto* each : {"good", "bad"})
    b.redis.stream<std::string>(each, {.from = replay::all(), .direction = redis::direction::in});
  for (const auto* each : {"t:good", "t:bad"}) client.run("XADD", each, "1-0", "data", "1");
  REQUIRE(eventually([&] { return good.has("1") && bad.has("1"); }));
  client.run("DEL", "t:bad");
  client.run("SET", "t:bad", "no stream");
  for (int i = 2; i <= 5; ++i) {
    client.run("XADD", "t:good", std::to_string(i) + "-0", "data", std::to_string(i));
    REQUIRE(eventually([&] { return good.has(std::to_string(i)); }));
  }
  client.run("DEL", "t:bad");
  client.run("XADD", "t:bad", "7-0", "data", "anew");
  REQUIRE(eventually([&] { return bad.has("anew"); }));
  CHECK(good.events() == numbers(1, 5));
}

TEST_CASE("a map without fields is refused alone, not with those beside it", "[redis][stream]") {
  using flat = std::map<std::string, std::string>;
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto topic = a.bus.topic<flat>("x");
  redis_client blocker(server);
  blocker.run("CLIENT", "PAUSE", 100'000, "WRITE");  // so that they go together
  a.redis.stream<flat>("x", {.direction = redis::direction::out, .format = redis::format::fields, .deduplicate = true});
  topic.publish(flat{{"n", "1"}});
  topic.publish(flat{});
  topic.publish(flat{{"n", "2"}});
  blocker.run("CLIENT", "UNPAUSE");
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XLEN", "t:x").integer() == 2);
  CHECK(a.redis.stats().refused == 1);
}

TEST_CASE("topics of Litestar that share a key are told apart, and lose nothing to each other", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  process a(server), b(server);
  const auto as = redis::format::litestar;
  for (const auto* each : {"orders", "Orders"})
    a.redis.stream<std::string>(each, {.direction = redis::direction::out, .format = as, .deduplicate = true});
  diary told;
  const auto s = b.bus.topic<std::string>("Orders").subscribe(told.handler());
  b.redis.stream<std::string>("Orders", {.from = replay::all(), .direction = redis::direction::in, .format = as});
  auto small = a.bus.topic<std::string>("orders"), large = a.bus.topic<std::string>("Orders");
  for (int i = 1; i <= 100; ++i) small.publish("small " + std::to_string(i));
  REQUIRE(a.redis.flush(patience));
  for (const auto& each : numbers(1, 10)) large.publish(each);
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XLEN", "t:_ORDERS").integer() == 110);
  REQUIRE(eventually([&] { return told.has("10"); }));
  CHECK(told.events() == numbers(1, 10));
}

TEST_CASE("routes of Litestar streams that cannot be are refused with the reason", "[redis][stream]") {
  const redis_server server;
  process a(server);
  const auto as = redis::format::litestar;
  CHECK(error_of([&] { a.redis.stream<std::string>("a.*", {.format = as}); }) == errc::invalid_argument);
  CHECK(error_of([&] { a.redis.stream<std::string>("gr\xc3\xb6n", {.format = as}); }) == errc::invalid_argument);
  a.redis.stream<std::string>("a.*", {.direction = redis::direction::out, .format = as});
  CHECK(a.redis.wait_ready(patience));
}

TEST_CASE("a pattern that is taken back before its streams were found does not keep the bridge from being ready",
          "[redis][stream]") {
  redis_server server;
  server.kill();
  process a(server);
  a.redis.stream<std::string>("a.*");
  a.redis.unroute("a.*");
  server.start();
  CHECK(a.redis.wait_ready(patience));
}
