// Streams of packed entries: the last events are counted by events, and may begin within an entry.
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/redis/bridge/listener.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// One entry that holds the numbers.
void add_packed(redis_client& client, const std::string& id, int from, int to) {
  const lines all = numbers(from, to);
  std::vector<redis::outgoing> events;
  for (const auto& each : all) events.push_back({.topic = "x", .payload = each});
  std::string scratch;
  std::vector<field_view> fields;
  redis::wire_format_of(redis::format::packed, redis::payload_shape::bytes).write_entry(events, scratch, fields);
  REQUIRE(fields.size() == 1);
  client.run("XADD", "t:x", id, std::string(fields[0].name), std::string(fields[0].value));
}

/// The numbers 1 to 260: two large entries, one that a foreign program wrote, and twenty small ones.
struct packed_stream {
  packed_stream() {
    add_packed(client, "1-0", 1, 100);
    add_packed(client, "2-0", 101, 219);
    client.run("XADD", "t:x", "3-0", "data", "220");
    for (int i = 0; i < 20; ++i) add_packed(client, std::to_string(4 + i) + "-0", 221 + 2 * i, 222 + 2 * i);
  }
  const redis_server server;
  redis_client client{server};
};

redis::stream_options last(std::size_t count) {
  return {.from = replay::last(count), .direction = redis::direction::in, .format = redis::format::packed};
}

}  // namespace

TEST_CASE_METHOD(packed_stream, "the last events of a packed stream are as many as were asked for, within an entry too",
                 "[redis][stream]") {
  const int count = GENERATE(3, 40, 41, 65, 260, 10'000);
  CAPTURE(count);
  listener b(server, last(static_cast<std::size_t>(count)));
  REQUIRE(eventually([&] { return b.told.ends_with("caught up"); }));
  CHECK(b.told.events() == numbers(std::max(261 - count, 1), 260));
}

TEST_CASE_METHOD(packed_stream, "history of a packed stream may begin within an entry", "[redis][history]") {
  const int count = GENERATE(3, 65, 260, 10'000);
  CAPTURE(count);
  process a(server);
  a.redis.stream<std::string>("x", last(0));
  REQUIRE(a.redis.wait_ready(patience));
  lines found;
  for (const auto& each : a.redis.history<std::string>("x", static_cast<std::size_t>(count))) found.push_back(*each);
  CHECK(found == numbers(std::max(261 - count, 1), 260));
}

TEST_CASE_METHOD(packed_stream,
                 "one that begins within an entry and ends before it has handled any of it begins there again",
                 "[redis][stream]") {
  auto with = last(65);
  with.resume_as = "me";
  {
    process first(server);
    gate held;
    const auto s = first.bus.topic<std::string>("x").subscribe([&](const std::string&) { held.pass(); },
                                                               {.run_on = run_on::own_thread});
    const opens_at_the_end guard(held);
    first.redis.stream<std::string>("x", with);
    REQUIRE(eventually([&] { return first.redis.stats().in == 65; }));
    REQUIRE(eventually([&] { return client.run("EXISTS", "t:x:cursor:me").integer() == 1; }));
    first.redis.close(0s);
  }
  CHECK(client.run("GET", "t:x:cursor:me").text() == "2-0:94");
  add_packed(client, "100-0", 261, 262);
  listener second(server, with);
  REQUIRE(eventually([&] { return second.told.ends_with("caught up"); }));
  CHECK(second.told.events() == numbers(196, 262));
}
