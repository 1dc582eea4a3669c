// Where the reading of a stream begins and goes on, and what is told of what is not there any more.
#include <limits>
#include <thread>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/listener.hpp"
#include "tests/redis/bridge/read_stream.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Somebody reads a stream, and waits for more.
struct reading {
  reading() { REQUIRE(b.redis.wait_ready(patience)); }

  const redis_server server;
  redis_client client{server};
  listener b{server};
};

}  // namespace

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
  SECTION("last, of many reads") { play({.from = replay::last(2000)}, numbers(1001, 3000)); }
  SECTION("last, of more than there are") {
    play({.from = replay::last(std::numeric_limits<std::size_t>::max())}, numbers(1, 3000));
  }
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

TEST_CASE_METHOD(
    reading, "a stream that is made anew while it is read, again and again: each entry comes once, behind its reset",
    "[redis][stream]") {
  lines wanted;
  const auto add = [&](const std::string& what) {
    client.run("XADD", "t:x", "*", "data", what);
    wanted.push_back(what);
  };
  for (int i = 1; i <= 12; ++i) {
    for (const auto* part : {".1", ".2", ".3"}) add(std::to_string(i) + part);
    REQUIRE(eventually([&] { return b.told.has(wanted.back()); }));
    // In the next millisecond the new stream's ids are newer, in the same one they begin again.
    if (i % 4 != 0) std::this_thread::sleep_for(2ms);  // until the clock has gone on
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

TEST_CASE_METHOD(reading,
                 "entries that come and go in one step of the server, while a reader waits, are told in their place",
                 "[redis][stream]") {
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

TEST_CASE_METHOD(reading,
                 "entries that are trimmed right behind a read are told behind what it brought, and reading goes on",
                 "[redis][stream]") {
  std::size_t told_before = 0;
  int behind_a_read = 0;
  for (int i = 1; i <= 20; ++i) {
    const auto waits = [&] {
      return client.run("INFO", "clients").text().find("blocked_clients:1") != std::string::npos;
    };
    REQUIRE(eventually(waits));
    // In one packet: the first wakes the reader, whose question about the stream is answered behind all of them.
    client.send({"XADD", "t:x", "*", "data", "read"});
    client.send({"XADD", "t:x", "*", "data", "lost"});
    client.send({"XTRIM", "t:x", "MAXLEN", "0"});
    for (int reply = 0; reply < 3; ++reply) client.read();
    REQUIRE(eventually([&] { return b.told.events().size() > told_before && b.told.events().back() != "read"; }));
    const lines all = b.told.events();
    const lines now(all.begin() + static_cast<std::ptrdiff_t>(told_before), all.end());
    told_before = all.size();
    CAPTURE(now);
    // A reader that had just asked anew finds both gone, or both there.
    CHECK((now == lines{"read", "trimmed"} || now == lines{"trimmed"} || now == lines{"read", "lost"}));
    behind_a_read += now == lines{"read", "trimmed"};
  }
  CHECK(behind_a_read > 0);
}

TEST_CASE("a replay begins at a time in the middle of the stream", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  add_numbers(client, 1, 10);
  auto wanted = numbers(6, 10);
  wanted.insert(wanted.end(), {"caught up", "live"});
  CHECK(read_stream(server, {.from = replay::since(at(6ms))}, "caught up") == wanted);
}

TEST_CASE("a replay since a time that the server's clock has not reached is of nothing, and has caught up at once",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  add_numbers(client, 1, 10);
  const auto ahead = std::chrono::system_clock::now() + 1h;
  CHECK(read_stream(server, {.from = replay::since(ahead)}, "caught up") == lines{"caught up", "live"});
}

TEST_CASE("a stream whose newest entries were deleted is replayed once, and the replay catches up", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  add_numbers(client, 1, 10);
  client.run("XDEL", "t:x", "9-0", "10-0");
  auto wanted = numbers(1, 8);
  wanted.insert(wanted.end(), {"caught up", "live"});
  SECTION("all") { CHECK(read_stream(server, {.from = replay::all()}, "caught up") == wanted); }
  SECTION("more than there are") { CHECK(read_stream(server, {.from = replay::last(100)}, "caught up") == wanted); }
  SECTION("from a time before all") { CHECK(read_stream(server, {.from = replay::since({})}, "caught up") == wanted); }
  SECTION("the last ones") {
    CHECK(read_stream(server, {.from = replay::last(1)}, "caught up") == lines{"8", "caught up", "live"});
  }
}
