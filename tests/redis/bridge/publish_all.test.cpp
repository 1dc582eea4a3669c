// One value on several topics, in one step of the server.
#include <string_view>
#include <thread>
#include <utility>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/bridge/sorted.hpp"
#include "tests/redis/client.hpp"
#include "tests/stress.hpp"

namespace {

actorbus::testing::gate loop_held;

/// Of which some text holds who decodes it, which is a bridge's loop.
struct parcel {
  std::string text;
};

}  // namespace

template <>
struct actorbus::codec<parcel> {
  static constexpr std::string_view content_type = "text/plain";
  static void encode(const parcel& value, std::string& to) { to += value.text; }
  static parcel decode(std::string_view from) {
    if (from == "hold") loop_held.pass();
    return {std::string(from)};
  }
};

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Somebody else who listens to every channel, on one connection.
struct eavesdropper {
  explicit eavesdropper(const redis_server& of) : client(of) {
    client.send({"PSUBSCRIBE", "*"});
    client.read();
  }
  /// The channel and what came on it.
  std::pair<std::string, std::string> next() {
    const auto message = client.read();
    return {message[2].text(), message[3].text()};
  }
  redis_client client;
};

}  // namespace

TEST_CASE("publish_all publishes on several topics in one step, here and there", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  process b(server);
  auto here = a.bus.inbox<std::string>("m.*");
  auto there = b.bus.inbox<std::string>("m.*");
  a.redis.pubsub<std::string>("m.*");
  b.redis.pubsub<std::string>("m.*");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  CHECK(error_of([&] { a.redis.publish_all<std::string>({"m.a", "other"}, "no"); }) == errc::invalid_argument);
  a.redis.publish_all<std::string>({"m.a", "m.b"}, "1");
  redis_client(server).run("SCRIPT", "FLUSH");
  a.redis.publish_all<std::string>({"m.a"}, "2", {{"k", "v"}});
  a.redis.publish_all<std::string>({}, "nothing");
  CHECK(sorted(read(here, 3)) == lines{"1", "1", "2"});  // topics have no order among them
  lines got;
  for (int i = 0; i < 3; ++i) {
    const auto one = there.next(patience);
    REQUIRE(one);
    got.push_back(**one);
    CHECK(one->headers().get("k") == (**one == "2" ? "v" : ""));
  }
  CHECK(sorted(got) == lines{"1", "1", "2"});
}

TEST_CASE("what others publish comes before or behind all of a publish_all, never between", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  a.redis.pubsub<std::string>("m.*", {.direction = redis::direction::out, .format = redis::format::raw});
  eavesdropper all(server);
  const std::jthread other([&](const std::stop_token& ended) {
    redis_client client(server);
    while (!ended.stop_requested()) {
      client.run("PUBLISH", "t:m.a", "other");
      client.run("PUBLISH", "t:m.b", "other");
    }
  });
  // Larger than what the server reads of a client at once: as two commands they would be two steps.
  const std::string large(std::size_t{256} * 1024, 'x');
  std::size_t torn = 0;
  std::size_t others = 0;
  REQUIRE(a.redis.wait_ready(patience));
  for (std::size_t i = 0; i < scaled(100) || others == 0; ++i) {
    a.redis.publish_all<std::string>({"m.a", "m.b"}, large);
    for (; all.next().second == "other"; ++others) {
    }
    const auto [channel, text] = all.next();
    if (channel == "t:m.b" && text == large) continue;
    ++torn;
    while (all.next().second == "other") {
    }
  }
  CHECK(torn == 0);
}

TEST_CASE("publish_all comes once here and there where the format has no room for an origin", "[redis][pubsub]") {
  const auto as = GENERATE(redis::format::raw, redis::format::litestar);
  const redis_server server;
  redis_client client(server);
  eavesdropper all(server);
  process a(server), b(server);
  auto here = a.bus.topic<std::string>("x").inbox();
  auto there = b.bus.topic<std::string>("x").inbox();
  a.redis.pubsub<std::string>("x", {.format = as});
  b.redis.pubsub<std::string>("x", {.format = as});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  a.redis.publish_all<std::string>({"x"}, "1");
  const auto [channel, text] = all.next();
  CHECK(text == "1");
  client.run("SCRIPT", "FLUSH");  // what the server refuses is not expected back
  a.redis.publish_all<std::string>({"x"}, "1");
  client.run("PUBLISH", channel, "1");
  client.run("PUBLISH", channel, "end");
  CHECK(read(here, 4) == lines{"1", "1", "1", "end"});
  CHECK(read(there, 4) == lines{"1", "1", "1", "end"});
  CHECK(a.redis.stats().echoes == 2);
}

TEST_CASE("publish_all checks every topic and its route before it sends anything", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  eavesdropper all(server);
  auto here = a.bus.topic<std::string>("m.a").inbox();
  const auto numbers_topic = a.bus.topic<int>("m.number");
  a.bus.topic<std::string>("m.over").finish();
  const auto out = redis::direction::out;
  a.redis.pubsub<std::string>("m.*", {.direction = out, .format = redis::format::raw});
  a.redis.pubsub<parcel>("parcels.*", {.direction = out, .format = redis::format::raw});
  REQUIRE(a.redis.wait_ready(patience));
  const auto refusal = [&](const std::string& second) {
    return error_of([&] { a.redis.publish_all<std::string>({"m.a", second}, "no"); });
  };
  CHECK(refusal("m..b") == errc::invalid_topic);
  CHECK(refusal("other") == errc::invalid_argument);
  CHECK(refusal("m.number") == errc::type_mismatch);
  CHECK(refusal("parcels.new") == errc::type_mismatch);
  CHECK(refusal("m.over") == errc::finished);
  std::error_code inside;
  const auto s = a.bus.topic<std::string>("m.here").subscribe([&](const std::string&) { inside = refusal("m.b"); });
  a.bus.topic<std::string>("m.here").publish("go");
  REQUIRE(a.bus.flush(patience));
  CHECK(inside == errc::in_handler);
  CHECK(all.next().second == "go");
  a.redis.publish_all<std::string>({"m.a", "m.b"}, "yes");
  CHECK(all.next().second == "yes");
  CHECK(read(here, 1) == lines{"yes"});
}

TEST_CASE("publish_all that the server does not carry out publishes nothing here", "[redis][pubsub]") {
  redis_server server({.users = {"ann on >secret ~* &* +@all -evalsha"}});
  process denied("redis://ann:secret@127.0.0.1:" + std::to_string(server.port()));
  process a(server);
  for (process* each : {&denied, &a}) {
    each->redis.pubsub<std::string>("x", {.direction = redis::direction::out});
    REQUIRE(each->redis.wait_ready(patience));
  }
  const auto refusal = [](process& of) {
    auto here = of.bus.topic<std::string>("x").inbox();
    const auto why = error_of([&] { of.redis.publish_all<std::string>({"x"}, "1"); });
    of.bus.topic<std::string>("x").publish("behind");
    CHECK(read(here, 1) == lines{"behind"});
    return why;
  };
  CHECK(refusal(denied) == errc::refused_by_server);
  server.kill();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s); }));
  CHECK(refusal(a) == errc::not_connected);
  a.redis.close(0s);
  CHECK(refusal(a) == errc::closed);
}

TEST_CASE("an interceptor that refuses a publish_all keeps it from its own topic here alone", "[redis][pubsub]") {
  const redis_server server;
  process a(server);
  eavesdropper all(server);
  const auto denies = [](const metadata&, headers&) { return make_error_code(errc::unsupported); };
  const auto guarded = a.bus.topic<std::string>("m.guarded", {.intercept = denies});
  auto here = a.bus.inbox<std::string>("m.*");
  a.redis.pubsub<std::string>("m.*", {.direction = redis::direction::out, .format = redis::format::raw});
  REQUIRE(a.redis.wait_ready(patience));
  CHECK(error_of([&] { a.redis.publish_all<std::string>({"m.a", "m.guarded", "m.b"}, "1"); }) == errc::unsupported);
  for (const auto* each : {"t:m.a", "t:m.guarded", "t:m.b"}) CHECK(all.next().first == each);
  CHECK(read(here, 2) == lines{"1", "1"});
}

TEST_CASE("publish_all that nobody waits for any more is not sent", "[redis][pubsub]") {
  const redis_server server;
  redis_client client(server);
  process a(server, {.command_timeout = 500ms});
  a.redis.pubsub<parcel>("x", {.format = redis::format::raw});
  REQUIRE(a.redis.wait_ready(patience));
  const auto publishes = [&](const std::string& text) {
    return !error_of([&] { a.redis.publish_all<parcel>({"x"}, {text}); });
  };
  REQUIRE(eventually([&] { return publishes("first"); }));  // the server has the script
  eavesdropper all(server);
  client.run("PUBLISH", "t:x", "hold");
  REQUIRE(loop_held.reached());
  const opens_at_the_end lets_go(loop_held);
  CHECK(error_of([&] { a.redis.publish_all<parcel>({"x"}, {"late"}); }) == errc::timeout);
  loop_held.open();
  REQUIRE(eventually([&] { return publishes("next"); }));
  CHECK(all.next().second == "hold");
  CHECK(all.next().second == "next");
}
