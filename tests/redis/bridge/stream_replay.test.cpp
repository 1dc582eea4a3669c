// Where the reading of a stream begins and goes on, and what is told of what is not there any more.
#include <thread>

#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/redis/bridge/listener.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/error_count.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("one that joins late replays what it asks for, is told that it has caught up, and goes on live",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  for (const auto& each : numbers(1, 3000)) client.run("XADD", "t:x", "*", "data", each);
  const auto play = [&](redis::stream_options with, lines wanted) {
    listener b(server, std::move(with));
    REQUIRE(b.redis.wait_ready(patience));
    REQUIRE(eventually([&] { return wanted.empty() || b.told.ends_with("caught up"); }));
    client.run("XADD", "t:x", "*", "data", "live");
    REQUIRE(eventually([&] { return b.told.ends_with("live"); }));
    if (!wanted.empty()) wanted.push_back("caught up");
    wanted.push_back("live");
    CHECK(b.told.get() == wanted);
    client.run("XTRIM", "t:x", "MAXLEN", "3000");
    client.run("DEL", "t:x");
    for (const auto& each : numbers(1, 3000)) client.run("XADD", "t:x", "*", "data", each);
  };
  SECTION("all") { play({.from = replay::all()}, numbers(1, 3000)); }
  SECTION("last") { play({.from = replay::last(100)}, numbers(2901, 3000)); }
  SECTION("since the beginning") { play({.from = replay::since({})}, numbers(1, 3000)); }
  SECTION("live") { play({.from = replay::live()}, {}); }
  SECTION("after an entry") {
    const auto id = client.run("XRANGE", "t:x", "-", "+", "COUNT", "2500")[2499][0].text();
    play({.after = redis::stream_id::parse(id)}, numbers(2501, 3000));
  }
}

TEST_CASE("trimmed entries, a deleted stream and one made anew are told in their place", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process b(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler());
  client.run("XADD", "t:x", "*", "data", "1");
  b.redis.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in});
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  between.refuse_connections();
  between.cut();
  REQUIRE(eventually([&] { return !b.redis.wait_ready(0s); }));
  client.run("XADD", "t:x", "*", "data", "2");
  client.run("XADD", "t:x", "*", "data", "3");
  client.run("XADD", "t:x", "*", "data", "4");
  client.run("XTRIM", "t:x", "MAXLEN", "1");
  between.accept_connections();
  REQUIRE(eventually([&] { return told.ends_with("4"); }));
  CHECK(told.get() == lines{"1", "caught up", "trimmed", "4"});
  client.run("DEL", "t:x");
  REQUIRE(eventually([&] { return told.ends_with("reset: the stream was deleted"); }));
  // An id of its own: a stream made anew in the same millisecond gives the same ids again, and nobody can tell.
  const auto fifth = redis::stream_id::parse(client.run("XADD", "t:x", "*", "data", "5").text());
  REQUIRE(eventually([&] { return told.ends_with("5"); }));
  between.refuse_connections();
  between.cut();
  REQUIRE(eventually([&] { return !b.redis.wait_ready(0s); }));
  client.run("XADD", "t:x", "*", "data", "6");
  client.run("DEL", "t:x");
  client.run("XADD", "t:x", fifth->next().to_string(), "data", "7");
  between.accept_connections();
  REQUIRE(eventually([&] { return told.ends_with("7"); }));
  CHECK(told.get().at(6) == "reset: the stream was deleted and made anew");
}

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
  auto in = bus.topic<std::string>("x").inbox();
  bridge.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"});
  REQUIRE(read(in, 1) == lines{"1"});
  REQUIRE(eventually([&] { return error_count(client, refusal) >= 2; }));  // it was tried again
  CHECK(client.run("EXISTS", "t:x:cursor:me").integer() == 0);
  client.run("ACL", "SETUSER", "ann", "+set");
  client.run("CONFIG", "SET", "maxmemory", 0);
  CHECK(eventually([&] { return client.run("EXISTS", "t:x:cursor:me").integer() == 1; }));
  bridge.close(patience);
  bus.close(patience);
  CHECK(mentions(log.text(), "did not take the cursor of 't:x': " + refusal));
}

TEST_CASE("one that ends with its topic full resumes with the first event that nobody got, within an entry too",
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
  lines got;
  {
    process first(server);
    auto topic = first.bus.topic<std::string>("x", {.capacity = 8, .lane = 8});
    auto in = topic.inbox({.overflow = overflow::block});
    first.redis.stream<std::string>("x", with);
    got = read(in, 20);
    first.redis.close(0s);
    // What the topic had taken is still its own.
    while (const auto one = in.next(50ms)) got.push_back(**one);
  }
  CHECK(got.size() < 200);
  CHECK(client.run("GET", "t:x:cursor:me").text().find(':') != std::string::npos);
  process second(server);
  auto in = second.bus.topic<std::string>("x").inbox();
  second.redis.stream<std::string>("x", with);
  const int next = std::stoi(read(in, 1).at(0));
  CHECK(next <= static_cast<int>(got.size()) + 1);           // nothing is lost
  CHECK(next + 16 + 1 >= static_cast<int>(got.size()) + 1);  // and only what was not yet in the log comes again
  CHECK(read(in, static_cast<std::size_t>(200 - next)) == numbers(next + 1, 200));
}

TEST_CASE("a stream that is made anew while it is read, again and again: each entry comes once, behind its reset",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  listener b(server);
  REQUIRE(b.redis.wait_ready(patience));
  lines wanted;
  const auto add = [&](const std::string& what) {
    client.run("XADD", "t:x", "*", "data", what);
    wanted.push_back(what);
  };
  for (int i = 1; i <= 12; ++i) {
    for (const auto* part : {".1", ".2", ".3"}) add(std::to_string(i) + part);
    REQUIRE(eventually([&] { return b.told.has(wanted.back()); }));
    // In the next millisecond the new stream's ids are newer, in the same one they begin again.
    if (i % 4 != 0) std::this_thread::sleep_for(2ms);
    client.run("MULTI");
    client.run("DEL", "t:x");
    wanted.push_back("reset: the stream was deleted and made anew");
    add(std::to_string(i));
    client.run("EXEC");
    REQUIRE(eventually([&] { return b.told.has(wanted.back()); }));
  }
  add("end");
  REQUIRE(eventually([&] { return b.told.has("end"); }));
  CHECK(b.told.events() == wanted);
}

TEST_CASE("entries that come and go in one step of the server, while a reader waits, are told in their place",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  listener b(server);
  REQUIRE(b.redis.wait_ready(patience));
  lines wanted;
  for (int i = 1; i <= 20; ++i) {
    client.run("MULTI");
    for (const auto& each : {"lost", "lost", "kept"}) client.run("XADD", "t:x", "*", "data", each);
    client.run("XTRIM", "t:x", "MAXLEN", "1");
    client.run("EXEC");
    wanted.insert(wanted.end(), {"trimmed", "kept"});
    REQUIRE(eventually([&] { return b.told.events().size() >= wanted.size(); }));
  }
  CHECK(b.told.events() == wanted);
}
