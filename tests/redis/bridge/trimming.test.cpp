// What a stream keeps: by number, by age, by time to live.
#include <algorithm>
#include <span>

#include <bridges/redis/stream_offset.hpp>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// What the stream `x` keeps, and how many of those its oldest entry holds.
struct kept_events {
  explicit kept_events(process& by) {
    const auto past = by.redis.history<std::string>("x", 100'000);
    for (const auto& each : past) {
      texts.push_back(*each);
      ids.push_back(redis::stream_offset::parse(each.headers().get("redis.id")).value().id);
    }
  }
  std::size_t oldest() const { return static_cast<std::size_t>(std::count(ids.begin(), ids.end(), ids.front())); }
  lines texts;
  std::vector<redis::stream_id> ids;
};

}  // namespace

TEST_CASE("packed entries are trimmed by the events they hold, whatever their sizes", "[redis][stream]") {
  const bool deduplicate = GENERATE(false, true);
  const bool exact = GENERATE(false, true);
  const bool burst_first = GENERATE(false, true);
  CAPTURE(deduplicate, exact, burst_first);
  const redis_server server;
  redis_client client(server);
  client.run("CONFIG", "SET", "stream-node-max-entries", "1");  // so that its convenience is an entry, too
  process a(server);
  constexpr std::size_t wanted = 100;
  a.redis.stream<std::string>("x", {.maxlen = wanted,
                                    .direction = redis::direction::out,
                                    .format = redis::format::packed,
                                    .exact = exact,
                                    .deduplicate = deduplicate});
  REQUIRE(a.redis.wait_ready(patience));
  auto out = a.bus.topic<std::string>("x").publisher();
  const auto all = numbers(1, 700);
  std::span<const std::string> left = all;
  const auto publish = [&](std::size_t count) {
    out.publish_all(left.first(count));
    left = left.subspan(count);
    REQUIRE(a.redis.flush(patience));
  };
  if (burst_first) publish(600);
  for (std::size_t i = 0; i < wanted - 10; ++i) publish(1);
  if (!burst_first) publish(64);
  const kept_events kept(a);
  CHECK(kept.texts.size() >= wanted);
  CHECK(kept.texts.size() - kept.oldest() < wanted);
  REQUIRE(kept.texts.size() <= all.size() - left.size());
  CHECK(std::equal(kept.texts.begin(), kept.texts.end(), left.data() - kept.texts.size()));
}

TEST_CASE("a bridge that is new to a packed stream trims nothing that may be wanted", "[redis][stream]") {
  const redis_server server;
  const redis::stream_options with{
      .maxlen = 50, .direction = redis::direction::out, .format = redis::format::packed, .exact = true};
  process before(server), a(server);
  for (auto* each : {&before, &a}) {
    each->redis.stream<std::string>("x", with);
    REQUIRE(each->redis.wait_ready(patience));
  }
  for (const auto& each : numbers(1, 48)) {
    before.bus.topic<std::string>("x").publish(each);
    REQUIRE(before.redis.flush(patience));
  }
  a.bus.topic<std::string>("x").publisher().publish_all(numbers(49, 60));
  REQUIRE(a.redis.flush(patience));
  const kept_events kept(a);
  CHECK(kept.texts.size() >= 50);
  CHECK(kept.texts.back() == "60");
}

TEST_CASE("entries older than max_age are trimmed with the next event, younger ones stay", "[redis][stream]") {
  const bool deduplicate = GENERATE(false, true);
  const auto format = GENERATE(redis::format::native, redis::format::packed);
  CAPTURE(deduplicate, redis::to_string(format));
  const redis_server server;
  redis_client client(server);
  const auto age = [](std::chrono::milliseconds ago) {
    return redis::stream_id::at(std::chrono::system_clock::now() - ago).to_string();
  };
  client.run("XADD", "t:x", age(3h), "data", "old");
  client.run("XADD", "t:x", age(61min), "data", "old");
  client.run("XADD", "t:x", age(30min), "data", "young");
  process a(server);
  a.redis.stream<std::string>(
      "x",
      {.direction = redis::direction::out, .format = format, .exact = true, .max_age = 1h, .deduplicate = deduplicate});
  a.bus.topic<std::string>("x").publish("new");
  REQUIRE(a.redis.flush(patience));
  const auto kept = client.run("XRANGE", "t:x", "-", "+");
  REQUIRE(kept.size() == 2);
  CHECK(kept[0][1][1].text() == "young");
}

TEST_CASE("trimming to the server's convenience keeps at least what was asked for", "[redis][stream]") {
  const bool by_age = GENERATE(false, true);
  CAPTURE(by_age);
  const redis_server server;
  redis_client client(server);
  process a(server);
  redis::stream_options with{.direction = redis::direction::out};
  if (by_age) {
    with.max_age = 1h;
  } else {
    with.maxlen = 1000;
  }
  a.redis.stream<std::string>("x", with);
  auto topic = a.bus.topic<std::string>("x");
  for (int i = 0; i < 3000; ++i) topic.publish(std::to_string(i));
  REQUIRE(a.redis.flush(patience));
  const auto kept = client.run("XLEN", "t:x").integer();
  CHECK(kept >= 1000);
  if (by_age) CHECK(kept == 3000);
}

TEST_CASE("a time to live that was not set with its event is set with the next connection", "[redis][stream]") {
  const redis_server server;
  redis_client client(server);
  client.run("ACL", "SETUSER", "default", "-pexpire");
  process a(server);
  a.redis.stream<std::string>("x", {.ttl = 1h, .direction = redis::direction::out});
  a.bus.topic<std::string>("x").publish("1");
  REQUIRE(a.redis.flush(patience));
  REQUIRE(eventually([&] { return client.run("ACL", "LOG").size() > 0; }));
  CHECK(client.run("PTTL", "t:x").integer() == -1);
  client.run("ACL", "SETUSER", "default", "+pexpire");
  client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  CHECK(eventually([&] { return client.run("PTTL", "t:x").integer() > 0; }));
}
