// Streams of Litestar: topics that share a key, since the key is in upper case, and dead letters.
#include <stdexcept>

#include "tests/error_of.hpp"
#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto as = redis::format::litestar;

/// "large 1", "small 1", "large 2" and so on up to five of each, as a Litestar application adds them.
struct shared_stream {
  shared_stream() {
    for (const auto& each : numbers(1, 5)) {
      client.run("XADD", "t:_ORDERS", "*", "data", "large " + each, "channel", "Orders");
      client.run("XADD", "t:_ORDERS", "*", "data", "small " + each, "channel", "orders");
    }
  }
  static lines small(int from) {
    lines result;
    for (const auto& each : numbers(from, 5)) result.push_back("small " + each);
    return result;
  }
  const redis_server server;
  redis_client client{server};
  const redis::stream_options in{.from = replay::all(), .direction = redis::direction::in, .format = as};
};

std::string refusal(process& by, const std::string& topic, const redis::stream_options& with) {
  try {
    by.redis.stream<std::string>(topic, with);
  } catch (const bus_error& error) {
    CHECK(error.code() == errc::invalid_argument);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE_METHOD(shared_stream,
                 "a second route that takes in the same stream for another topic is refused, naming both",
                 "[redis][stream]") {
  process a(server);
  a.redis.stream<std::string>("orders", in);
  const std::string why = refusal(a, "Orders", in);
  CHECK(mentions(why, "'orders'"));
  CHECK(mentions(why, "'Orders'"));
  CHECK(mentions(refusal(a, "_ORDERS", {}), "'_ORDERS'"));
  CHECK(refusal(a, "other.orders", in).empty());
  CHECK(mentions(refusal(a, "_OTHER.*", {}), "'other.orders'"));
  CHECK(refusal(a, "Orders", {.direction = redis::direction::out, .format = as}).empty());
  CHECK(a.redis.unroute("orders"));
  CHECK(refusal(a, "_ORDERS", {.direction = redis::direction::in}).empty());
  CHECK(refusal(a, "_NEW.*", {.direction = redis::direction::in}).empty());
  CHECK(mentions(refusal(a, "new.orders", in), "'_NEW.*'"));
  CHECK(a.redis.wait_ready(patience));
}

TEST_CASE_METHOD(shared_stream, "the last events of one topic are its own, whatever else is in its stream",
                 "[redis][stream]") {
  process a(server);
  diary told;
  auto topic = a.bus.topic<std::string>("orders");
  const auto s = topic.subscribe(told.handler());
  auto with = in;
  with.from = replay::last(3);
  a.redis.stream<std::string>("orders", with);
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  CHECK(told.events() == small(3));
  lines past;
  for (const auto& each : a.redis.history<std::string>("orders", 4)) past.push_back(*each);
  CHECK(past == small(2));
  diary all;
  const auto t = topic.subscribe(all.handler(), {.from = replay::all()});
  REQUIRE(eventually([&] { return all.ends_with("caught up"); }));
  CHECK(all.events() == small(1));
  diary last;
  const auto u = topic.subscribe(last.handler(), {.from = replay::last(4)});
  REQUIRE(eventually([&] { return last.ends_with("caught up"); }));
  CHECK(last.events() == small(2));
}

TEST_CASE_METHOD(shared_stream, "a consumer handles its topic's events alone, and acknowledges the others",
                 "[redis][group]") {
  process a(server);
  work_done done;
  const auto work = a.redis.consume<std::string>("orders", done.handler(), {.group = "g", .format = as});
  REQUIRE(eventually([&] { return a.redis.stats().consumed == 10; }));
  CHECK(done.values() == small(1));
  CHECK(pending(client, "g", "t:_ORDERS") == 0);
}

TEST_CASE_METHOD(shared_stream, "cursors of two topics that share a stream are two, whatever name they have",
                 "[redis][stream]") {
  auto with = in;
  with.resume_as = "me";
  for (const std::string topic : {"orders", "Orders"}) {
    process a(server);
    auto inbox = a.bus.topic<std::string>(topic).inbox();
    a.redis.stream<std::string>(topic, with);
    CHECK(read(inbox, 5).front() == (topic == "orders" ? "small 1" : "large 1"));
    CHECK(eventually([&] { return client.run("EXISTS", "t:_ORDERS:" + topic + ":cursor:me").integer() == 1; }));
  }
}

TEST_CASE("dead letters of Litestar's streams come in by a route for their topic", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto dead = a.bus.topic<std::string>("work.dead").inbox();
  a.redis.stream<std::string>("work.dead", {.from = replay::all(), .direction = redis::direction::in, .format = as});
  const auto work =
      a.redis.consume<std::string>("work", [](const std::string&) { throw std::runtime_error("no good"); },
                                   {.group = "g", .max_deliveries = 1, .format = as});
  client.run("XADD", "t:_WORK", "*", "data", "bad", "channel", "work");
  const auto letter = dead.next(patience);
  REQUIRE(letter);
  CHECK(**letter == "bad");
  CHECK(letter->headers().get("dead_letter.topic") == "work");
  CHECK(letter->headers().get("dead_letter.error") == "no good");
}
