// Cursors that are kept in Redis under a name, and processes that go on where they were.
#include <algorithm>
#include <thread>
#include <utility>

#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/recording_logger.hpp"
#include "tests/redis/bridge/listener.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/error_count.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/piped_child.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// What a process that shares the stream prints until `last`, or until it has ended.
lines heard_until(piped_child& from, const std::string& last) {
  lines all;
  while (all.empty() || all.back() != last) {
    auto line = from.hear();
    if (!line) break;
    all.push_back(std::move(*line));
  }
  return all;
}

/// "a 1" to "a 300", for instance.
lines named(const std::string& who, int from, int to) {
  lines result;
  for (const auto& each : numbers(from, to)) result.push_back(who + ' ' + each);
  return result;
}

/// Those of one process, in their order.
lines of(const std::string& who, const lines& all) {
  lines result;
  std::copy_if(all.begin(), all.end(), std::back_inserter(result),
               [&](const auto& each) { return each.rfind(who + ' ', 0) == 0; });
  return result;
}

}  // namespace

TEST_CASE("one that resumes by its name goes on where it was", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  const redis::stream_options with{.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"};
  for (const auto& each : numbers(1, 10)) client.run("XADD", "t:x", "*", "data", each);
  {
    listener first(server, with);
    REQUIRE(eventually([&] { return first.told.ends_with("caught up"); }));
    REQUIRE(eventually([&] { return client.run("EXISTS", "t:x:cursor:me").integer() == 1; }));
    const auto newest = client.run("XREVRANGE", "t:x", "+", "-", "COUNT", "1")[0][0].text();
    REQUIRE(eventually([&] { return client.run("GET", "t:x:cursor:me").text() == newest + " 10"; }));
  }
  for (const auto& each : numbers(11, 20)) client.run("XADD", "t:x", "*", "data", each);
  listener second(server, with);
  REQUIRE(eventually([&] { return second.told.ends_with("caught up"); }));
  auto wanted = numbers(11, 20);
  wanted.push_back("caught up");
  CHECK(second.told.get() == wanted);
}

TEST_CASE("a cursor that the server does not take is told, and saved once it does, though nothing more comes",
          "[redis][stream]") {
  const std::string refusal = GENERATE("NOPERM", "OOM");
  const redis_server server({.users = {"ann on >hidden ~* &* +@all"}, .directives = {"maxmemory-policy noeviction"}});
  redis_client client(server);
  client.run("XADD", "t:x", "*", "data", "1");
  if (refusal == "NOPERM") client.run("ACL", "SETUSER", "ann", "-set");
  if (refusal == "OOM") client.run("CONFIG", "SET", "maxmemory", 1);
  const recording_logger log;
  actorbus::bus bus(bus_options{.logger = log.logger()});
  redis::bridge bridge(bus, process::at("redis://ann:hidden@127.0.0.1:" + std::to_string(server.port()), {}));
  diary told;
  const auto s = bus.topic<std::string>("x").subscribe(told.handler());
  bridge.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"});
  REQUIRE(eventually([&] { return told.has("1"); }));
  REQUIRE(eventually([&] { return error_count(client, refusal) >= 2; }));  // it was tried again
  CHECK(client.run("EXISTS", "t:x:cursor:me").integer() == 0);
  client.run("ACL", "SETUSER", "ann", "+set");
  client.run("CONFIG", "SET", "maxmemory", 0);
  CHECK(eventually([&] { return client.run("EXISTS", "t:x:cursor:me").integer() == 1; }));
  bridge.close(patience);
  bus.close(patience);
  CHECK(mentions(log.text(), "did not take the cursor of 't:x': " + refusal));
}

TEST_CASE("one that ends with its topic full goes on behind what was read there, within an entry too",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  {
    process writer(server);
    writer.redis.stream<std::string>("x", {.direction = redis::direction::out, .format = redis::format::packed});
    REQUIRE(writer.redis.wait_ready(patience));
    writer.bus.topic<std::string>("x").publish_all(numbers(1, 200));
    REQUIRE(writer.redis.flush(patience));
  }
  const redis::stream_options with{
      .from = replay::all(), .direction = redis::direction::in, .format = redis::format::packed, .resume_as = "me"};
  int got = 0;
  {
    process first(server);
    auto topic = first.bus.topic<std::string>("x", {.capacity = 8, .lane = 8});
    auto in = topic.inbox({.overflow = overflow::block});
    first.redis.stream<std::string>("x", with);
    const auto is_within_an_entry = [&] {
      const auto saved = client.run("GET", "t:x:cursor:me");
      return !saved.is_nil() && saved.text().find(':') != std::string::npos;
    };
    while (got < 200 && !is_within_an_entry()) {
      ++got;
      REQUIRE(read(in, 1) == numbers(got, got));
      // Slower than the cursor is looked at, which is each 10 ms; in the end much slower.
      std::this_thread::sleep_for(got < 100 ? 1ms : 100ms);
    }
    first.redis.close(0s);
  }
  CHECK(got < 200);
  process second(server);
  auto in = second.bus.topic<std::string>("x").inbox();
  second.redis.stream<std::string>("x", with);
  const int next = std::stoi(read(in, 1).at(0));
  CHECK(next > 1);
  CHECK(next <= got + 1);  // what nobody read is not passed, though the topic had taken it
  CHECK(read(in, static_cast<std::size_t>(200 - next)) == numbers(next + 1, 200));
}

TEST_CASE("a cursor under a name does not pass what the topic has taken and its handlers have not", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  for (const auto& each : numbers(1, 100)) client.run("XADD", "t:x", "*", "data", each);
  const auto id_of = [&](std::size_t which) { return client.run("XRANGE", "t:x", "-", "+")[which - 1][0].text(); };
  process one(server);
  gate held;
  diary told;
  const auto s = one.bus.topic<std::string>("x").subscribe(
      [&](const std::string& value) {
        if (value == "11") held.pass();
        told.add(value);
      },
      {.run_on = run_on::own_thread});
  const opens_at_the_end guard(held);
  one.redis.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"});
  REQUIRE(eventually([&] { return one.redis.stats().in == 100; }));
  REQUIRE(eventually([&] { return told.get().size() == 10; }));
  for (int looks = 0; looks < 100; ++looks) {
    const auto saved = client.run("GET", "t:x:cursor:me");
    if (!saved.is_nil())
      REQUIRE(redis::stream_id::parse(saved.text().substr(0, saved.text().find(' '))) <=
              redis::stream_id::parse(id_of(10)));
  }
  held.open();
  CHECK(eventually([&] {
    const auto saved = client.run("GET", "t:x:cursor:me");
    return !saved.is_nil() && saved.text() == id_of(100) + " 100";
  }));
}

TEST_CASE("a bus that closes leaves the cursor where its handlers are, whether they could finish or not",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  for (const auto& each : numbers(1, 20)) client.run("XADD", "t:x", "*", "data", each);
  const redis::stream_options with{.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"};
  const auto live = [&](int stands_still_at, std::chrono::nanoseconds closes_within) {
    process one(server);
    diary told;
    gate held;
    const auto s = one.bus.topic<std::string>("x").subscribe(
        [&](const std::string& value) {
          told.add(value);
          if (std::stoi(value) == stands_still_at) held.pass();
        },
        {.run_on = run_on::own_thread});
    const opens_at_the_end guard(held);
    one.redis.stream<std::string>("x", with);
    REQUIRE(eventually([&] { return told.ends_with(std::to_string(stands_still_at)) || told.ends_with("20"); }));
    const bool drained = one.bus.close(closes_within).drained;
    CHECK(drained == (stands_still_at > 20));
    one.redis.close(1s);
    held.open();
    return told.get();
  };
  const lines first = live(5, 50ms);
  CHECK(first == numbers(1, 5));
  const lines second = live(21, patience);
  CHECK(std::stoi(second.front()) <= 5);  // its handler had not returned
  CHECK(second == numbers(std::stoi(second.front()), 20));
  for (const auto& each : numbers(21, 25)) client.run("XADD", "t:x", "*", "data", each);
  process third(server);
  auto in = third.bus.topic<std::string>("x").inbox();
  third.redis.stream<std::string>("x", with);
  CHECK(read(in, 5) == numbers(21, 25));  // exactly from there
}

TEST_CASE(
    "of processes that share a stream one is killed and comes back by its name, and one joins late: nothing is "
    "lost, doubled or out of order",
    "[redis][stream][processes]") {
  const redis_server server;
  const auto start = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {ACTORBUS_STREAM_CHILD, server.uri()});
    return piped_child(arguments);
  };
  piped_child a = start({"a"});
  piped_child b = start({"b", "a 150"});
  REQUIRE(a.hear() == "ready");
  REQUIRE(b.hear() == "ready");
  const auto say = [](piped_child& to, const lines& what) {
    for (const auto& each : what) to.say(each);
  };
  say(b, named("b", 1, 100));
  say(a, named("a", 1, 100));
  lines heard_by_a = heard_until(a, "b 100");
  lines first_life = heard_until(b, "a 100");
  say(a, named("a", 101, 500));
  const lines rest = heard_until(b, "a 150");
  first_life.insert(first_life.end(), rest.begin(), rest.end());
  REQUIRE(first_life.back() == "a 150");
  redis_client client(server);
  REQUIRE(eventually([&] { return client.run("XLEN", "t:x").integer() == 600; }));
  b.process().kill();

  piped_child again = start({"b"});
  REQUIRE(again.hear() == "ready");
  say(a, named("a", 501, 600));
  say(again, named("b", 101, 200));
  piped_child late = start({"c"});
  REQUIRE(late.hear() == "ready");
  say(a, {"a end"});
  say(again, {"b end"});

  // What is in the stream is what was accepted, in one order for all who read it from there.
  lines stream;
  REQUIRE(eventually([&] {
    stream.clear();
    const auto entries = client.run("XRANGE", "t:x", "-", "+");
    for (const auto& entry : entries.list()) stream.push_back(entry[1][1].text());
    return of("a", stream).size() == 601 && of("b", stream).size() == 201;
  }));
  auto wanted_a = named("a", 1, 600);
  auto wanted_b = named("b", 1, 200);
  wanted_a.emplace_back("a end");
  wanted_b.emplace_back("b end");
  CHECK(of("a", stream) == wanted_a);
  CHECK(of("b", stream) == wanted_b);

  const auto until_both_end = [](piped_child& from, lines all) {
    const auto has = [&](const char* end) { return std::find(all.begin(), all.end(), end) != all.end(); };
    while (!has("a end") || !has("b end")) {
      auto line = from.hear();
      REQUIRE(line.has_value());
      all.push_back(std::move(*line));
    }
    return all;
  };
  // The one that was there all the time.
  heard_by_a = until_both_end(a, heard_by_a);
  CHECK(of("a", heard_by_a) == wanted_a);
  CHECK(of("b", heard_by_a) == wanted_b);
  // The one that came late.
  const lines heard_by_c = until_both_end(late, {});
  CHECK(heard_by_c == stream);
  // The one that was killed in its handler: all up to there, and again that one, or some before it, and what follows.
  const lines after = of("a", until_both_end(again, {}));
  CHECK(of("a", first_life) == named("a", 1, 150));
  CHECK(of("b", first_life) == named("b", 1, 100));
  const auto from = std::find(wanted_a.begin(), wanted_a.end(), after.front());
  CHECK(from - wanted_a.begin() < 150);
  CHECK(after == lines(from, wanted_a.end()));

  for (piped_child* each : {&a, &again, &late}) CHECK(each->finish() == std::pair<std::string, int>{"", 0});
}

TEST_CASE("a connection for commands that rests is not woken for a cursor that is saved already", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  client.run("XADD", "t:x", "1-0", "data", "1");
  process a(server, {.idle_timeout = 20ms});
  diary told;
  const auto s = a.bus.topic<std::string>("x").subscribe(told.handler());
  a.redis.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"});
  const auto saved = [&] {
    const auto text = client.run("GET", "t:x:cursor:me");
    return text.is_nil() ? "" : text.text();
  };
  REQUIRE(eventually([&] { return saved() == "1-0 1"; }));
  const auto is_connected = [&] { return mentions(client.run("CLIENT", "LIST").text(), "actorbus:commands"); };
  REQUIRE(eventually([&] { return !is_connected(); }));
  const auto reads = [&] {
    const auto text = client.run("INFO", "commandstats").text();
    const auto at = text.find("cmdstat_xread:calls=");
    return at == text.npos ? 0 : std::stoi(text.substr(at + 20));
  };
  const auto before = a.redis.stats().connections_made;
  const int enough = reads() + 3;  // each of them waits in vain, and ends
  REQUIRE(eventually([&] { return reads() >= enough; }));
  CHECK(a.redis.stats().connections_made == before);
  client.run("XADD", "t:x", "2-0", "data", "2");
  CHECK(eventually([&] { return saved() == "2-0 2"; }));
}
