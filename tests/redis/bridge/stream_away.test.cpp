// What a reader of a stream is told of the time in which it did not read it, and how far it reads ahead.
#include "tests/eventually.hpp"
#include "tests/redis/bridge/listener.hpp"
#include "tests/redis/bridge/read_stream.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("what was trimmed while the connection was away is told with its range", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  proxy between(server);
  process b(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(with_ranges(told));
  add_numbers(client, 1, 2);
  b.redis.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in});
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  between.refuse_connections();
  between.cut();
  REQUIRE(eventually([&] { return !b.redis.wait_ready(0s); }));
  add_numbers(client, 3, 9);
  client.run("XTRIM", "t:x", "MAXLEN", "2");
  between.accept_connections();
  REQUIRE(eventually([&] { return told.ends_with("9"); }));
  CHECK(told.get() == lines{"1", "2", "caught up", "trimmed 2-1 to 7" + of_the_last, "8", "9"});
}

TEST_CASE("one that resumes is told what was trimmed, deleted or made anew while it was away, and gets the rest",
          "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  add_numbers(client, 1, 5);
  const redis::stream_options with{.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"};
  {
    listener first(server, with);
    REQUIRE(eventually([&] { return first.told.ends_with("caught up"); }));
    const auto is_saved = [&] {
      const auto saved = client.run("GET", "t:x:cursor:me");
      return !saved.is_nil() && saved.text() == "5-0 5";
    };
    REQUIRE(eventually(is_saved));
  }
  const auto resume = [&] { return read_stream(server, with, "caught up"); };
  SECTION("trimmed") {
    add_numbers(client, 6, 9);
    client.run("XTRIM", "t:x", "MAXLEN", "2");
    CHECK(resume() == lines{"trimmed 5-1 to 7" + of_the_last, "8", "9", "caught up", "live"});
  }
  SECTION("trimmed to nothing") {
    add_numbers(client, 6, 9);
    client.run("XTRIM", "t:x", "MAXLEN", "0");
    CHECK(resume() == lines{"trimmed 5-1 to 9-0", "caught up", "live"});
  }
  SECTION("trimmed no further than it was") {
    add_numbers(client, 6, 7);
    client.run("XTRIM", "t:x", "MAXLEN", "2");
    CHECK(resume() == lines{"6", "7", "caught up", "live"});
  }
  SECTION("deleted") {
    client.run("DEL", "t:x");
    CHECK(resume() == lines{"reset: the stream was deleted", "caught up", "live"});
  }
  SECTION("made anew, with older ids") {
    client.run("DEL", "t:x");
    add_numbers(client, 1, 3);
    CHECK(resume() == lines{"reset: the stream was deleted and made anew", "1", "2", "3", "caught up", "live"});
  }
  SECTION("made anew, with newer ids") {
    client.run("DEL", "t:x");
    add_numbers(client, 11, 13);
    CHECK(resume() == lines{"reset: the stream was deleted and made anew", "11", "12", "13", "caught up", "live"});
  }
  SECTION("its newest entries deleted") {
    add_numbers(client, 6, 7);
    client.run("XDEL", "t:x", "6-0", "7-0");
    CHECK(resume() == lines{"caught up", "live"});
  }
}

TEST_CASE("one that begins behind an entry which is trimmed by then is told what it lost", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  add_numbers(client, 1, 9);
  client.run("XTRIM", "t:x", "MAXLEN", "2");
  CHECK(read_stream(server, {.after = redis::stream_id{3, 0}}, "caught up") ==
        lines{"trimmed 3-1 to 7" + of_the_last, "8", "9", "caught up", "live"});
}

TEST_CASE("of a stream whose topic is full no more is read than is there already", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  const std::string payload(1000, 'x');
  for (int i = 0; i < 3000; ++i) client.run("XADD", "t:x", "*", "data", payload);
  process b(server);
  auto full = b.bus.topic<std::string>("x", {.capacity = 8, .lane = 8});
  const auto unread = full.inbox({.overflow = overflow::block});
  auto other = b.bus.topic<std::string>("y").inbox();
  for (const auto* each : {"x", "y"})
    b.redis.stream<std::string>(each, {.from = replay::all(), .direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  REQUIRE(eventually([&] { return b.redis.stats().waiting > 0; }));
  const auto read_others = [&](int count) {
    for (int i = 0; i < count; ++i) {
      client.run("XADD", "t:y", "*", "data", "y");
      REQUIRE(read(other, 1) == lines{"y"});
    }
  };
  read_others(3);  // what was under way of the full one has come
  const auto before = b.redis.stats();
  CHECK(before.waiting < 3 * 64);  // two reads, the second twice the first
  read_others(20);
  const auto after = b.redis.stats();
  CHECK(after.waiting == before.waiting);
  CHECK(after.in == before.in + 20);
  CHECK(after.bytes_in - before.bytes_in < 64 * payload.size());  // another read had more
}

TEST_CASE("a cursor that the server does not tell is waited for, and nothing begins elsewhere meanwhile",
          "[redis][stream]") {
  const redis_server server({.users = {"ann on >secret ~* &* +@all -get"}});
  redis_client client(server);
  add_numbers(client, 1, 5);
  client.run("SET", "t:x:cursor:me", "3-0 3");
  process b("redis://ann:secret@127.0.0.1:" + std::to_string(server.port()));
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(with_ranges(told));
  b.redis.stream<std::string>("x", {.from = replay::all(), .direction = redis::direction::in, .resume_as = "me"});
  REQUIRE(eventually([&] { return client.run("ACL", "LOG").size() != 0; }));
  client.run("ACL", "SETUSER", "ann", "+get");
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  CHECK(told.get() == lines{"4", "5", "caught up"});
}

TEST_CASE("a cursor that is none is as good as no cursor", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  add_numbers(client, 1, 2);
  client.run("SET", "t:x:cursor:me", "somebody else's");
  CHECK(read_stream(server, {.from = replay::all(), .resume_as = "me"}, "caught up") ==
        lines{"1", "2", "caught up", "live"});
}
