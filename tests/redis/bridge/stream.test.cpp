// Streams through a real redis-server.
#include <map>
#include <set>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

/// What a subscriber is told, one line each.
struct diary {
  auto handler() {
    return overloaded{[this](const event<std::string>& e) { add(*e); }, [this](const gap& g) { add("gap: " + g.reason); },
                      [this](const trimmed&) { add("trimmed"); },
                      [this](const epoch_reset& r) { add("reset: " + r.reason); },
                      [this](const caught_up&) { add("caught up"); }};
  }
  void add(std::string line) {
    std::lock_guard lock(mutex);
    all.push_back(std::move(line));
  }
  lines get() const {
    std::lock_guard lock(mutex);
    return all;
  }
  bool ends_with(const std::string& line) const {
    const auto now = get();
    return !now.empty() && now.back() == line;
  }
  mutable std::mutex mutex;
  lines all;
};

lines numbers(int from, int to) {
  lines result;
  for (int i = from; i <= to; ++i) result.push_back(std::to_string(i));
  return result;
}

/// Starts at the beginning of the stream `x` and reads on.
struct listener : process {
  explicit listener(const redis_server& server, redis::stream_options with = {.from = replay::all()}) : process(server) {
    with.direction = redis::direction::in;
    redis.stream<std::string>("x", with);
  }
  diary told;
  subscription s = bus.topic<std::string>("x").subscribe(told.handler());
};

}  // namespace

TEST_CASE("what one process publishes is in the stream and reaches another, in order, with headers, origin and id",
          "[redis][stream]") {
  const redis_server server;
  process a(server);
  process b(server);
  auto in = b.bus.topic<std::string>("orders.created").inbox();
  a.redis.stream<std::string>("orders.created");
  b.redis.stream<std::string>("orders.created");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  auto from = a.bus.topic<std::string>("orders.created");
  from.publish("0", {{"k", "v"}});
  for (const auto& each : numbers(1, 4999)) from.publish(each);
  const auto first = in.next(patience);
  REQUIRE(first);
  CHECK(**first == "0");
  CHECK(first->headers().get("k") == "v");
  CHECK(redis::stream_id::parse(first->headers().get("redis.id")));
  CHECK(first->origin() == a.redis.origin());
  CHECK(first->origin_sequence() == 1);
  CHECK(read(in, 4999) == numbers(1, 4999));
  redis_client client(server);
  CHECK(client.run("XLEN", "t:orders.created").integer() == 5000);
}

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

TEST_CASE("no entry of a stream comes back to who added it, in any format, and none loops among three", "[redis][stream]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::litestar, redis::format::packed,
                               redis::format::watermill);
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(redis::to_string(format), deduplicate);
  const redis_server server;
  process all[3]{process(server), process(server), process(server)};
  std::vector<inbox<std::string>> in;
  for (auto& each : all) {
    in.push_back(each.bus.topic<std::string>("x").inbox());
    each.redis.stream<std::string>("x", {.format = format, .deduplicate = deduplicate});
  }
  for (auto& each : all) REQUIRE(each.redis.wait_ready(patience));
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) {
    for (int p = 0; p < 3; ++p) all[p].bus.topic<std::string>("x").publish(std::to_string(p) + "." + std::to_string(i));
  }
  for (auto& each : all) REQUIRE(each.redis.flush(patience));
  process last(server);
  last.redis.stream<std::string>("x", {.format = format});
  last.bus.topic<std::string>("x").publish("end");
  for (auto& each : in) {
    std::multiset<std::string> seen;
    for (;;) {
      const auto one = each.next(patience);
      REQUIRE(one);
      if (**one == "end") break;
      seen.insert(**one);
    }
    CHECK(seen.size() == 3 * count);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 3 * count);
  }
}

TEST_CASE("flat fields travel as they are, both ways", "[redis][stream]") {
  using fields = std::map<std::string, std::string>;
  const redis_server server;
  process a(server);
  auto topic = a.bus.topic<fields>("x");
  auto in = topic.inbox();
  a.redis.stream<fields>("x", {.format = redis::format::fields});
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  client.run("XADD", "t:x", "*", "name", "ann", "age", "7");
  CHECK(read(in, 1) == std::vector<fields>{{{"name", "ann"}, {"age", "7"}}});
  topic.publish(fields{{"b", "2"}, {"a", "1"}});
  REQUIRE(a.redis.flush(patience));
  CHECK(client.run("XREVRANGE", "t:x", "+", "-", "COUNT", "1")[0][1].texts() == lines{"a", "1", "b", "2"});
}

TEST_CASE("a stream is trimmed and expires as asked", "[redis][stream]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  process a(server);
  a.redis.stream<std::string>("x", {.maxlen = 10, .ttl = 1h, .direction = redis::direction::out, .exact = true, .deduplicate = deduplicate});
  auto topic = a.bus.topic<std::string>("x");
  for (const auto& each : numbers(1, 100)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  redis_client client(server);
  CHECK(client.run("XLEN", "t:x").integer() == 10);
  const auto left = client.run("PTTL", "t:x").integer();
  CHECK(left > 0);
  CHECK(left <= 3'600'000);
}

TEST_CASE("with de-duplication every event arrives once and in order, through kills of a durable server",
          "[redis][stream][faults]") {
  redis_server server({.append_only = true});
  listener b(server);
  process a(server);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = true});
  auto topic = a.bus.topic<std::string>("x");
  constexpr int count = 10'000;
  for (int i = 1; i <= count; ++i) {
    topic.publish(std::to_string(i));
    if (i == count / 3 || i == count / 2) server.restart();
  }
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] { return b.told.ends_with(std::to_string(count)); }));
  auto told = b.told.get();
  std::erase(told, "caught up");
  CHECK(told == numbers(1, count));
}

TEST_CASE("connections cut in the middle of replies: nothing is lost, and with de-duplication nothing doubled",
          "[redis][stream][faults]") {
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(deduplicate);
  const redis_server server;
  proxy between(server);
  listener b(server);
  process a(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = deduplicate});
  auto topic = a.bus.topic<std::string>("x");
  constexpr int count = 5'000;
  for (int i = 1; i <= count; ++i) {
    topic.publish(std::to_string(i));
    if (i % 500 == 0) between.cut_after(static_cast<std::uint64_t>(i % 77));
  }
  REQUIRE(a.redis.flush(patience));
  if (deduplicate) {
    REQUIRE(eventually([&] { return b.told.ends_with(std::to_string(count)); }));
    auto told = b.told.get();
    std::erase(told, "caught up");
    CHECK(told == numbers(1, count));
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
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .overflow = overflow::block, .deduplicate = true});
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
  auto told = b.told.get();
  std::erase(told, "caught up");
  CHECK(told == numbers(1, 300));
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
  client.run("XADD", "t:x", "*", "data", "5");
  REQUIRE(eventually([&] { return told.ends_with("5"); }));
  between.refuse_connections();
  between.cut();
  REQUIRE(eventually([&] { return !b.redis.wait_ready(0s); }));
  client.run("XADD", "t:x", "*", "data", "6");
  client.run("DEL", "t:x");
  client.run("XADD", "t:x", "*", "data", "7");
  between.accept_connections();
  REQUIRE(eventually([&] { return told.ends_with("7"); }));
  CHECK(told.get().at(6) == "reset: the stream was deleted and made anew");
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

TEST_CASE("patterns of streams are found, also those made later, from their beginning", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  client.run("XADD", "t:s.old", "*", "data", "old");
  process b(server);
  auto in = b.bus.inbox<std::string>("s.*");
  b.redis.stream<std::string>("s.*");
  REQUIRE(b.redis.wait_ready(patience));
  client.run("XADD", "t:s.new", "*", "data", "1");
  client.run("XADD", "t:s.new", "*", "data", "2");
  CHECK(read(in, 2) == lines{"1", "2"});
  client.run("XADD", "t:s.old", "*", "data", "3");
  CHECK(read(in, 1) == lines{"3"});
}

TEST_CASE("history gives the last events, oldest first", "[redis][history]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  REQUIRE(a.redis.wait_ready(patience));
  CHECK(a.redis.history<std::string>("x", 10).empty());
  for (const auto& each : numbers(1, 50)) client.run("XADD", "t:x", "*", "data", each);
  const auto past = a.redis.history<std::string>("x", 10);
  REQUIRE(past.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) CHECK(*past[i] == std::to_string(41 + i));
  CHECK(past[0].topic() == "x");
  CHECK(past[0].sequence() == 0);
  CHECK(past[0].headers().contains("redis.id"));
  CHECK(a.redis.history<std::string>("x", 0).empty());
  CHECK(a.redis.history<std::string>("x", 100).size() == 50);
}

TEST_CASE("a subscriber that asks for more than the topic keeps gets the older part from the stream", "[redis][history]") {
  const redis_server server;
  process a(server);
  auto topic = a.bus.topic<std::string>("x", {.history = 10});
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 1000)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  diary all;
  diary last;
  const auto s = topic.subscribe(all.handler(), {.from = replay::all()});
  const auto t = topic.subscribe(last.handler(), {.from = replay::last(600)});
  topic.publish("live");
  REQUIRE(eventually([&] { return all.ends_with("live") && last.ends_with("live"); }));
  auto wanted = numbers(1, 1000);
  wanted.push_back("caught up");
  wanted.push_back("live");
  CHECK(all.get() == wanted);
  wanted.erase(wanted.begin(), wanted.begin() + 400);
  CHECK(last.get() == wanted);
}

TEST_CASE("publish_confirmed tells the id that the server gave, and publishes here too", "[redis][confirmed]") {
  const bool deduplicate = GENERATE(false, true);
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto in = a.bus.topic<std::string>("x").inbox();
  CHECK(error_of([&] { a.redis.publish_confirmed("x", std::string("1")); }) == errc::invalid_argument);
  a.redis.stream<std::string>("x", {.deduplicate = deduplicate});
  auto first = a.redis.publish_confirmed("x", std::string("1"));
  auto second = a.redis.publish_confirmed("x", std::string("2"));
  REQUIRE(second.wait_for(patience) == std::future_status::ready);
  const auto one = first.get();
  const auto two = second.get();
  CHECK(one < two);
  CHECK(client.run("XREVRANGE", "t:x", "+", "-")[0][0].text() == two.to_string());
  CHECK(client.run("XLEN", "t:x").integer() == 2);
  CHECK(read(in, 2) == lines{"1", "2"});
  client.run("DEL", "t:x");
  client.run("SET", "t:x", "no stream");
  auto refused = a.redis.publish_confirmed("x", std::string("3"));
  CHECK(error_of([&] { refused.get(); }) == errc::refused_by_server);
}

TEST_CASE("publish_confirmed while Redis is away fails in time, and with the bridge's end", "[redis][confirmed]") {
  redis_server server;
  process a(server);
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  server.kill();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s); }));
  auto late = a.redis.publish_confirmed("x", std::string("1"), {.within = 1ms});
  CHECK(error_of([&] { late.get(); }) == errc::timeout);
  auto cut = a.redis.publish_confirmed("x", std::string("1"));
  a.redis.close(0s);
  CHECK(error_of([&] { cut.get(); }) == errc::closed);
}

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
  CHECK(read(here, 3) == lines{"1", "1", "2"});
  CHECK(read(there, 2) == lines{"1", "1"});
  const auto last = there.next(patience);
  REQUIRE(last);
  CHECK(last->headers().get("k") == "v");
}

TEST_CASE("flush_all deletes what is under the prefix and nothing else, and refuses an empty one", "[redis][flush_all]") {
  const redis_server server;
  redis_client client(server);
  process a(server, {.prefix = "a*:"});
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 2500)) client.run("SET", "a*:" + each, each);
  client.run("SET", "ab:1", "other");
  CHECK(a.redis.flush_all() == 2500);
  CHECK(client.run("DBSIZE").integer() == 1);
  redis::bridge everything(a.bus, {.uri = server.uri()});
  CHECK(error_of([&] { everything.flush_all(); }) == errc::invalid_argument);
}

TEST_CASE("a full topic stops the reading, and nothing is lost", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  auto topic = b.bus.topic<std::string>("x", {.capacity = 16, .lane = 16});
  auto in = topic.inbox({.overflow = overflow::block});
  b.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 5000)) client.run("XADD", "t:x", "*", "data", each);
  CHECK(read(in, 5000) == numbers(1, 5000));
}

TEST_CASE("entries that are no events are set aside and counted", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  process b(server);
  auto in = b.bus.topic<std::string>("x").inbox();
  b.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(b.redis.wait_ready(patience));
  client.run("XADD", "t:x", "*", "other", "no data");
  client.run("XADD", "t:x", "*", "data", std::string("bin\0ary", 7), "extra", "field");
  client.run("XADD", "t:x", "*", "data", "");
  const std::string huge(std::size_t{8} * 1024 * 1024, 'x');
  client.run("XADD", "t:x", "*", "data", huge);
  CHECK(read(in, 3) == lines{std::string("bin\0ary", 7), "", huge});
  CHECK(b.redis.stats().decode_failures == 1);
}
