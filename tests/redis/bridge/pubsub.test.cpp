// Publish/subscribe through a real redis-server.
#include <set>
#include <thread>

#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/bridge/sorted.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("what one process publishes another receives, in order, with headers and origin", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  process b(server);
  auto from = a.bus.topic<std::string>("orders.created");
  auto in = b.bus.topic<std::string>("orders.created").inbox();
  a.redis.pubsub<std::string>("orders.created");
  b.redis.pubsub<std::string>("orders.created");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("one", {{"k", "v"}});
  const auto first = in.next(patience);
  REQUIRE(first);
  CHECK(**first == "one");
  CHECK(first->headers().get("k") == "v");
  CHECK(first->origin() == a.redis.origin());
  CHECK(first->origin_sequence() == 1);
  lines wanted;
  for (int i = 0; i < 1000; ++i) {
    wanted.push_back(std::to_string(i));
    from.publish(wanted.back());
  }
  CHECK(read(in, 1000) == wanted);
}

TEST_CASE("a server is found by its name", "[redis][pubsub]") {
  const redis_server server;
  bus local;
  redis::bridge by_name(local, {.uri = "redis://localhost:" + std::to_string(server.port())});
  CHECK(by_name.wait_ready(patience));
}

TEST_CASE("patterns carry the topics they cover, and make those that others publish on", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  process b(server);
  a.redis.pubsub<std::string>("orders.*");
  b.redis.pubsub<std::string>("orders.*");
  auto in = b.bus.inbox<std::string>("orders.*");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  a.bus.topic<std::string>("orders.created").publish("1");
  a.bus.topic<std::string>("other.created").publish("2");
  a.bus.topic<std::string>("orders.paid.late").publish("3");
  a.bus.topic<std::string>("orders.paid").publish("4");
  CHECK(sorted(read(in, 2)) == lines{"1", "4"});  // topics have no order among them
  redis_client client(server);
  client.run("PUBLISH", "t:orders.a.b", "not covered");
  client.run("PUBLISH", "t:orders.foreign", "5");
  CHECK(read(in, 1) == lines{"5"});
}

TEST_CASE("a bare PUBLISH of a foreign program is an event, and it reads raw payloads", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  auto topic = a.bus.topic<std::string>("x");
  auto in = topic.inbox();
  a.redis.pubsub<std::string>("x", {.format = redis::format::raw});
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  CHECK(client.run("PUBLISH", "t:x", "hello").integer() == 1);
  CHECK(read(in, 1) == lines{"hello"});
  client.send({"SUBSCRIBE", "t:x"});
  client.read();
  topic.publish("back");
  CHECK(client.read()[2].text() == "back");
}

TEST_CASE("no event comes back to who sent it, in any format, and none loops among three", "[redis][pubsub]") {
  const auto format =
      GENERATE(redis::format::native, redis::format::raw, redis::format::litestar, redis::format::packed);
  CAPTURE(redis::to_string(format));
  const redis_server server;
  process all[3]{process(server), process(server), process(server)};
  std::vector<inbox<std::string>> in;
  for (auto& each : all) {
    in.push_back(each.bus.topic<std::string>("x").inbox());
    each.redis.pubsub<std::string>("x", {.format = format});
  }
  for (auto& each : all) REQUIRE(each.redis.wait_ready(patience));
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) {
    for (int p = 0; p < 3; ++p) all[p].bus.topic<std::string>("x").publish(std::to_string(p) + "." + std::to_string(i));
  }
  for (auto& each : all) REQUIRE(each.redis.flush(patience));
  // What comes behind everything else, by a client of its own: then nothing more of the others can come.
  redis_client client(server);
  client.run("PUBLISH", format == redis::format::litestar ? "x" : "t:x", "end");  // Litestar's channels have no prefix
  for (auto& each : in) {
    std::multiset<std::string> seen;
    for (;;) {
      const auto one = each.next(patience);
      REQUIRE(one);
      if (**one == "end") break;
      seen.insert(**one);
    }
    CHECK(seen.size() == 3 * count);
    for (int p = 0; p < 3; ++p) {
      for (int i = 0; i < count; ++i) CHECK(seen.count(std::to_string(p) + "." + std::to_string(i)) == 1);
    }
  }
}

TEST_CASE("a server that is killed and comes back: a gap is told, and events go on", "[redis][pubsub]") {
  redis_server server;
  process a(server);
  process b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x");
  b.redis.pubsub<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("before");
  REQUIRE(eventually([&] { return told.has("before"); }));
  server.kill();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s) && !b.redis.wait_ready(0s); }));
  from.publish("meanwhile");  // waits in the topic's log
  server.start();
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("after");
  REQUIRE(eventually([&] { return told.has("after"); }));
  const auto lines = told.get();
  REQUIRE(lines.size() >= 3);
  CHECK(lines[0] == "before");
  CHECK(lines[1].find("gap: reconnected") == 0);
  CHECK(lines.back() == "after");
}

TEST_CASE("a topic of a pattern that nothing had come for is told the gap, too", "[redis][pubsub]") {
  redis_server server;
  process b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("p.silent").subscribe(told.handler());
  const auto other = b.bus.topic<int>("p.other").subscribe([](const int&) {});
  b.redis.pubsub<std::string>("p.*");
  REQUIRE(b.redis.wait_ready(patience));
  server.restart();
  REQUIRE(eventually([&] { return told.get().size() == 1; }));
  CHECK(told.get()[0].find("gap: reconnected") == 0);
}

TEST_CASE("gaps and messages that a full topic could not take come in the order in which they happened",
          "[redis][pubsub]") {
  const auto how = GENERATE(overflow::drop_oldest, overflow::latest);
  const redis_server server;
  redis_client client(server);
  process b(server);
  auto topic = b.bus.topic<std::string>("x", {.capacity = 1, .lane = 1});
  auto in = topic.inbox({.overflow = overflow::block});
  b.redis.pubsub<std::string>("x", {.overflow = how, .capacity = 8});
  const auto publish = [&](int from, int to) {
    for (const auto& each : numbers(from, to)) client.run("PUBLISH", "t:x", each);
  };
  const auto lose = [&] {
    REQUIRE(b.redis.wait_ready(patience));
    const auto lost = b.redis.stats().connections_lost;
    client.run("CLIENT", "KILL", "TYPE", "pubsub");
    REQUIRE(eventually([&] { return b.redis.stats().connections_lost > lost; }));
    REQUIRE(b.redis.wait_ready(patience));
  };
  REQUIRE(b.redis.wait_ready(patience));
  publish(1, 5);
  lose();
  lose();
  publish(6, 7);
  diary told;
  while (!told.has("7")) {
    REQUIRE(eventually([&] { return in.poll(told.handler()) != 0 || told.has("7"); }));
  }
  const auto all = told.get();
  const auto place = [&](const std::string& what) {
    return std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.rfind(what, 0) == 0; });
  };
  CHECK(place("gap: reconnected") != all.end());
  CHECK(place("gap: reconnected") < place("7"));
  CHECK(place("1") < place("gap"));
  if (how == overflow::drop_oldest) {
    CHECK(told.events().size() == 8);  // seven messages, and one gap for two losses with nothing between
    CHECK(place("5") < place("gap: reconnected"));
    CHECK(place("gap: reconnected") < place("6"));
  }
}

TEST_CASE("while Redis is away what waits is bounded, and what is dropped is counted", "[redis][pubsub]") {
  redis_server server;
  process a(server);
  auto topic = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out, .capacity = 10});
  REQUIRE(a.redis.wait_ready(patience));
  server.kill();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s); }));
  for (int i = 0; i < 100; ++i) topic.publish(std::to_string(i));
  REQUIRE(a.bus.flush(patience));
  server.start();
  REQUIRE(eventually([&] { return a.redis.stats().out == 10; }));
  CHECK(a.redis.stats().dropped_out == 90);
}

TEST_CASE("what was dropped while a publisher had no connection is told to those who had one", "[redis][pubsub]") {
  const redis_server server;
  proxy between(server);
  process a(between.uri()), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out, .capacity = 10});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("first");
  REQUIRE(eventually([&] { return told.has("first") && a.redis.stats().out == 1; }));
  between.refuse_connections();
  between.cut();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s); }));
  for (int i = 1; i <= 100; ++i) from.publish(std::to_string(i));
  REQUIRE(a.bus.flush(patience));
  between.accept_connections();
  REQUIRE(eventually([&] { return told.has("100"); }));
  lines wanted = numbers(91, 100);
  wanted.insert(wanted.begin(), {"first", "gap: what its publisher sent was lost on the way"});
  CHECK(told.get() == wanted);
}

TEST_CASE("a route that overflow::disconnect has ended says so, here and to those who listen", "[redis][pubsub]") {
  const redis_server server;
  proxy between(server);
  recording_logger log;
  actorbus::bus local({.logger = log.logger()});
  redis::bridge bridge(local, process::at(between.uri(), {}));
  process b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = local.topic<std::string>("x");
  bridge.pubsub<std::string>("x",
                             {.direction = redis::direction::out, .overflow = overflow::disconnect, .capacity = 10});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(bridge.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("first");
  REQUIRE(eventually([&] { return told.has("first"); }));
  between.refuse_connections();
  between.cut();
  REQUIRE(eventually([&] { return !bridge.wait_ready(0s); }));
  for (int i = 1; i <= 100; ++i) from.publish(std::to_string(i));
  REQUIRE(local.flush(patience));
  between.accept_connections();
  REQUIRE(eventually([&] { return told.get().size() == 2; }));
  CHECK(told.get()[1].starts_with("gap: "));
  bridge.close(patience);
  local.close(patience);
  CHECK(mentions(log.text(), "events of 'x' go out no more"));
}

TEST_CASE("an event that cannot go out is told in its place", "[redis][pubsub]") {
  const auto as = GENERATE(redis::format::native, redis::format::packed);
  const redis_server server;
  process a(server), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out, .format = as});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in, .format = as});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  headers too_many;
  for (int i = 0; i < 1025; ++i) too_many.set(std::to_string(i), "");
  for (const auto* each : {"1", "2"}) from.publish(each);
  from.publish("cannot go out", too_many);
  for (const auto* each : {"3", "4"}) from.publish(each);
  REQUIRE(eventually([&] { return told.has("4"); }));
  CHECK(told.get() == lines{"1", "2", "gap: what its publisher sent was lost on the way", "3", "4"});
  CHECK(a.redis.stats().refused == 1);
}

TEST_CASE("where events go both ways and none is missing, no gap is told", "[redis][pubsub]") {
  const auto as = GENERATE(redis::format::native, redis::format::packed);
  const redis_server server;
  process a(server), b(server);
  diary at_a, at_b;
  const auto sa = a.bus.topic<std::string>("x").subscribe(at_a.handler());
  const auto sb = b.bus.topic<std::string>("x").subscribe(at_b.handler());
  auto from_a = a.bus.topic<std::string>("x"), from_b = b.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.format = as});
  b.redis.pubsub<std::string>("x", {.format = as});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  constexpr int count = 2000;
  std::thread other([&] {
    for (const auto& each : numbers(1, count)) from_b.publish("b" + each);
  });
  for (const auto& each : numbers(1, count)) from_a.publish("a" + each);
  other.join();
  for (const auto* each : {&at_a, &at_b}) {
    REQUIRE(eventually([&] { return each->get().size() >= 2 * count; }));
    CHECK(each->get().size() == 2 * count);
  }
  CHECK(a.redis.stats().gaps + b.redis.stats().gaps == 0);
}

TEST_CASE("who wants the latest event alone is told no gap for the others", "[redis][pubsub]") {
  const redis_server server;
  process a(server), b(server);
  auto in = b.bus.topic<std::string>("x", {.capacity = 1, .lane = 1}).inbox({.overflow = overflow::block});
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in, .overflow = overflow::latest});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 100)) from.publish(each);
  REQUIRE(eventually([&] { return b.redis.stats().dropped_in > 0 && a.redis.stats().out == 100; }));
  diary told;
  while (!told.has("100")) {
    REQUIRE(eventually([&] { return in.poll(told.handler()) != 0 || told.has("100"); }));
  }
  CHECK(told.get().size() < 100);
  CHECK(b.redis.stats().gaps == 0);
}

TEST_CASE("each hole in what a sender sends is told in its place, however near the last", "[redis][pubsub]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  const auto publish = [&](const std::string& stamp) {
    client.run("PUBLISH", "t:x",
               "\xff"
               "ab1 " +
                   stamp + '\n' + stamp);
  };
  for (const auto* each : {"7 1", "7 3+1", "7 5+1", "8 9+1", "7 6+1", "7 8+2", "8 11+1"}) publish(each);
  REQUIRE(eventually([&] { return told.has("8 11+1"); }));
  const std::string gap = "gap: messages of its publisher are missing";
  CHECK(told.get() == lines{"7 1", gap, "7 3+1", gap, "7 5+1", "8 9+1", "7 6+1", "7 8+2", gap, "8 11+1"});
}

TEST_CASE("what goes to several topics at once has no place among what goes to each", "[redis][pubsub]") {
  const redis_server server;
  process a(server), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  for (const std::string each : {"1", "2", "3"}) {
    from.publish(each);
    REQUIRE(eventually([&] { return told.has(each); }));
    a.redis.publish_all({"x"}, "all " + each);
    REQUIRE(eventually([&] { return told.has("all " + each); }));
  }
  CHECK(told.get() == lines{"1", "all 1", "2", "all 2", "3", "all 3"});
}

TEST_CASE("a loss is told to who wants the latest event alone, too", "[redis][pubsub]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  auto in = b.bus.topic<std::string>("x", {.capacity = 1, .lane = 1}).inbox({.overflow = overflow::block});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in, .overflow = overflow::latest});
  REQUIRE(b.redis.wait_ready(patience));
  const auto publish = [&](const std::string& stamp) {
    client.run("PUBLISH", "t:x",
               "\xff"
               "ab1 " +
                   stamp + '\n' + stamp);
  };
  const auto lost = GENERATE(as<std::string>(), "7 32+1", "7 0 - application/vnd.actorbus.gap");
  for (int i = 1; i <= 30; ++i) publish("7 " + std::to_string(i) + "+1");
  publish(lost);
  for (int i = 33; i <= 60; ++i) publish("7 " + std::to_string(i) + "+1");
  REQUIRE(eventually([&] { return b.redis.stats().dropped_in > 0; }));
  diary told;
  while (!told.has("7 60+1")) {
    REQUIRE(eventually([&] { return in.poll(told.handler()) != 0 || told.has("7 60+1"); }));
  }
  CHECK(b.redis.stats().dropped_in > 0);
  CHECK(b.redis.stats().gaps == 1);
}

TEST_CASE("a bridge that only listens on a route both ways tells nobody of a gap", "[redis][pubsub]") {
  const redis_server server;
  process a(server), b(server);
  diary at_a, at_b;
  const auto sa = a.bus.topic<std::string>("x").subscribe(at_a.handler());
  const auto sb = b.bus.topic<std::string>("x").subscribe(at_b.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.format = redis::format::packed});
  b.redis.pubsub<std::string>("x", {.format = redis::format::packed, .capacity = 4});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 5000)) from.publish(each);
  REQUIRE(eventually([&] { return at_b.has("5000"); }));
  b.bus.topic<std::string>("x").publish("mine");
  REQUIRE(eventually([&] { return at_a.has("mine"); }));
  CHECK(a.redis.stats().gaps == 0);
}

TEST_CASE("what a closed bridge owes is told", "[redis][pubsub]") {
  const redis_server server({.users = {"ann on >secret ~* +@all resetchannels &t:x"}});
  process a("redis://ann:secret@127.0.0.1:" + std::to_string(server.port())), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  auto from = a.bus.topic<std::string>("x");
  a.redis.pubsub<std::string>("x", {.direction = redis::direction::out});
  b.redis.pubsub<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  from.publish("1");
  REQUIRE(eventually([&] { return told.has("1"); }));
  redis_client client(server);
  client.run("ACL", "SETUSER", "ann", "-publish");
  from.publish("2");
  REQUIRE(eventually([&] { return a.redis.stats().refused == 1; }));
  client.run("ACL", "SETUSER", "ann", "+publish");
  a.redis.close(patience);
  REQUIRE(eventually([&] { return told.get().size() == 2; }));
  CHECK(told.get()[1].starts_with("gap: "));
}

TEST_CASE("a route goes on once what others had to send is sent", "[redis][pubsub]") {
  const redis_server server;
  proxy between(server);
  process a(between.uri()), b(server);
  diary told;
  const auto s = b.bus.topic<std::string>("small").subscribe(told.handler());
  a.redis.pubsub<std::string>("large", {.direction = redis::direction::out});
  a.redis.pubsub<std::string>("small", {.direction = redis::direction::out});
  b.redis.pubsub<std::string>("small", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  between.stall(forwarding::requests);
  for (int i = 0; i < 64; ++i) a.bus.topic<std::string>("large").publish(std::string(1 << 20, 'x'));
  REQUIRE(eventually([&] { return a.redis.stats().in_flight > 0; }));
  a.bus.topic<std::string>("small").publish("here");
  REQUIRE(a.bus.flush(patience));
  CHECK(told.get().empty());
  between.resume();
  CHECK(eventually([&] { return told.has("here"); }));
}

TEST_CASE("remote names cannot grow the registry beyond max_topics", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  auto in = a.bus.inbox<std::string>(">");
  a.redis.pubsub<std::string>("r.*", {.max_topics = 3});
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  for (int i = 0; i < 10; ++i) client.run("PUBLISH", "t:r." + std::to_string(i), std::to_string(i));
  client.run("PUBLISH", "t:r.", "no name");
  client.run("PUBLISH", "t:r.0", "end");
  CHECK(sorted(read(in, 4)) == lines{"0", "1", "2", "end"});
  CHECK(a.redis.stats().topics_refused == 8);
}

TEST_CASE("an ACL that denies a channel is told, and the other subscriptions work", "[redis][pubsub]") {
  const redis_server server({.users = {"ann on >secret ~* +@all resetchannels &t:ok"}});
  process a("redis://ann:secret@127.0.0.1:" + std::to_string(server.port()));
  auto in = a.bus.topic<std::string>("ok").inbox();
  a.redis.pubsub<std::string>("denied");
  a.redis.pubsub<std::string>("ok");
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  client.run("PUBLISH", "t:ok", "fine");
  CHECK(read(in, 1) == lines{"fine"});
  CHECK(a.redis.stats().refused == 1);
  CHECK(a.redis.stats().connections_lost == 0);
}
