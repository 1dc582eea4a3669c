// What is remembered of our own payloads, in formats without an origin: nothing of what never got there, and all of
// what did.
#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto raw = redis::format::raw;

std::string as_ann(const redis_server& server) {
  return "redis://ann:secret@127.0.0.1:" + std::to_string(server.port());
}

}  // namespace

TEST_CASE("what the server refused does not stand for what somebody else sends later", "[redis][echo]") {
  const bool by_stream = GENERATE(false, true);
  CAPTURE(by_stream);
  const redis_server server({.users = {"ann on >secret ~* &* +@all"}});
  redis_client client(server);
  process a(as_ann(server));
  auto topic = a.bus.topic<std::string>("x");
  auto in = topic.inbox();
  if (by_stream) {
    a.redis.stream<std::string>("x", {.format = raw});
  } else {
    a.redis.pubsub<std::string>("x", {.format = raw});
  }
  REQUIRE(a.redis.wait_ready(patience));
  client.run("ACL", "SETUSER", "ann", by_stream ? "-xadd" : "-publish");
  topic.publish("same");
  REQUIRE(eventually([&] { return a.redis.stats().refused == 1; }));
  if (by_stream) {
    client.run("XADD", "t:x", "*", "data", "same");
  } else {
    client.run("PUBLISH", "t:x", "same");
  }
  CHECK(read(in, 2) == lines{"same", "same"});
  CHECK(a.redis.stats().echoes == 0);
}

TEST_CASE("what goes to several topics at once comes back once, also where the server forgot the script",
          "[redis][echo]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto in = a.bus.topic<std::string>("x").inbox();
  a.redis.pubsub<std::string>("x", {.format = raw});
  REQUIRE(a.redis.wait_ready(patience));
  a.redis.publish_all({"x"}, std::string("first"));
  client.run("SCRIPT", "FLUSH");
  a.redis.publish_all({"x"}, std::string("same"));
  REQUIRE(eventually([&] { return a.redis.stats().echoes == 2; }));
  client.run("PUBLISH", "t:x", "same");
  CHECK(read(in, 3) == lines{"first", "same", "same"});
}

TEST_CASE("what was lost with the connection it went by does not stand for what somebody else sends later",
          "[redis][echo]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri());
  diary told;
  auto topic = a.bus.topic<std::string>("x");
  const auto s = topic.subscribe(told.handler());
  a.redis.pubsub<std::string>("x", {.format = raw});
  REQUIRE(a.redis.wait_ready(patience));
  topic.publish("first");
  REQUIRE(eventually([&] { return a.redis.stats().out == 1 && a.redis.stats().echoes == 1; }));
  between.only_where("PUBLISH");
  between.stall(forwarding::requests);
  topic.publish("same");
  REQUIRE(eventually([&] { return a.redis.stats().in_flight == 1; }));
  between.cut();
  REQUIRE(eventually([&] { return a.redis.stats().lost_out == 1; }));
  between.resume();
  REQUIRE(a.redis.wait_ready(patience));
  CHECK(a.redis.stats().connections_lost == 1);
  client.run("PUBLISH", "t:x", "same");
  REQUIRE(eventually([&] { return told.get().size() == 4; }));
  CHECK(told.get() == lines{"first", "same",
                            "gap: what was published here was lost on the way, and may stand for somebody else's",
                            "same"});
}

TEST_CASE("a lost connection of messages doubles nothing of a stream", "[redis][echo]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri());
  diary told;
  auto topic = a.bus.topic<std::string>("s");
  const auto s = topic.subscribe(told.handler());
  a.redis.stream<std::string>("s", {.format = raw});
  a.redis.pubsub<std::string>("x", {.format = raw});
  REQUIRE(a.redis.wait_ready(patience));
  between.only_where("SUBSCRIBE");
  between.stall(forwarding::replies);
  for (const auto& each : numbers(1, 20)) topic.publish(each);
  REQUIRE(eventually([&] { return client.run("XLEN", "t:s").integer() == 20; }));
  between.cut();
  REQUIRE(eventually([&] { return a.redis.stats().connections_lost == 1; }));
  between.resume();
  client.run("XADD", "t:s", "*", "data", "end");
  REQUIRE(eventually([&] { return told.has("end"); }));
  lines wanted = numbers(1, 20);
  wanted.emplace_back("end");
  CHECK(told.events() == wanted);
}

TEST_CASE("an answer to a subscription that is under way doubles nothing", "[redis][echo]") {
  const bool is_its_own = GENERATE(false, true);
  CAPTURE(is_its_own);
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process a(between.uri());
  diary told;
  auto topic = a.bus.topic<std::string>("x");
  const auto s = topic.subscribe(told.handler());
  const std::string first = is_its_own ? "other" : "x", then = is_its_own ? "x" : "other";
  a.redis.pubsub<std::string>(first, {.format = raw});
  REQUIRE(a.redis.wait_ready(patience));
  between.stall(forwarding::replies);
  a.redis.pubsub<std::string>(then, {.format = raw});
  REQUIRE(eventually([&] { return client.run("PUBSUB", "NUMSUB", "t:" + then)[1].integer() == 1; }));
  topic.publish("1");
  if (!is_its_own) REQUIRE(eventually([&] { return a.redis.stats().in_flight == 1; }));
  between.resume();
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(eventually([&] { return a.redis.stats().out == 1 && a.redis.stats().echoes == 1; }));
  client.run("PUBLISH", "t:x", "end");
  REQUIRE(eventually([&] { return told.has("end"); }));
  CHECK(told.get() == lines{"1", "end"});
}

TEST_CASE("what goes out on the topics of a pattern does not come back", "[redis][echo]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  diary told;
  auto topic = a.bus.topic<std::string>("p.x");
  const auto s = topic.subscribe(told.handler());
  a.redis.pubsub<std::string>("p.*", {.format = raw});
  for (const auto& each : numbers(1, 100)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  client.run("PUBLISH", "t:p.x", "101");
  REQUIRE(eventually([&] { return told.has("101"); }));
  CHECK(told.get() == numbers(1, 101));
  CHECK(a.redis.stats().echoes == 100);
}

TEST_CASE("a route whose subscription is refused sends all the same", "[redis][echo]") {
  const redis_server server({.users = {"ann on >secret ~* resetchannels &t:x +@all -subscribe"}});
  redis_client client(server);
  process a(as_ann(server));
  a.redis.pubsub<std::string>("x", {.format = raw});
  client.send({"SUBSCRIBE", "t:x"});
  client.read();
  a.bus.topic<std::string>("x").publish("1");
  CHECK(client.read()[2].text() == "1");
}

TEST_CASE("routes that come and go lose and double nothing of another", "[redis][pubsub][echo]") {
  const auto as = GENERATE(redis::format::native, raw);
  CAPTURE(redis::to_string(as));
  const redis_server server;
  redis_client client(server);
  process a(server), b(server);
  diary at_a, at_b;
  auto topic = a.bus.topic<std::string>("x");
  const auto sa = topic.subscribe(at_a.handler());
  const auto sb = b.bus.topic<std::string>("x").subscribe(at_b.handler());
  for (auto* each : {&a, &b}) {
    each->redis.pubsub<std::string>("x", {.format = as});
    REQUIRE(each->redis.wait_ready(patience));
  }
  int published = 0;
  for (int i = 0; i < 50; ++i) {
    for (auto* each : {&a, &b}) each->redis.pubsub<std::string>("other.*", {.format = as});
    for (int n = 0; n < 20; ++n) topic.publish(std::to_string(++published));
    for (auto* each : {&a, &b}) CHECK(each->redis.unroute("other.*"));
    for (int n = 0; n < 20; ++n) topic.publish(std::to_string(++published));
  }
  REQUIRE(a.redis.flush(patience));
  client.run("PUBLISH", "t:x", "end");
  lines wanted = numbers(1, published);
  wanted.emplace_back("end");
  for (const auto* each : {&at_a, &at_b}) {
    REQUIRE(eventually([&] { return each->has("end"); }));
    CHECK(each->get() == wanted);
  }
}
