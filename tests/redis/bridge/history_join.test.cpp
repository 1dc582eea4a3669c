// A replay that begins in Redis, goes on in memory and ends live: no event is missing, none comes twice.
#include <atomic>
#include <deque>
#include <map>
#include <thread>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// Each event is `publisher.number`; the numbers of one publisher must come from 1 on, one after the other.
struct tally {
  auto handler() {
    return [this](const std::string& text) { add(text); };
  }
  void add(const std::string& text) {
    const auto dot = text.find('.');
    const std::string who = text.substr(0, dot);
    std::lock_guard lock(mutex);
    int& newest = reached[who];
    const int number = std::stoi(text.substr(dot + 1));
    if (number != newest + 1 && wrong.empty()) wrong = text + " came behind " + who + "." + std::to_string(newest);
    newest = number;
  }
  bool has(const std::string& who, int count) const {
    std::lock_guard lock(mutex);
    const auto found = reached.find(who);
    return found != reached.end() && found->second >= count;
  }
  std::string complaint() const {
    std::lock_guard lock(mutex);
    return wrong;
  }
  mutable std::mutex mutex;
  std::map<std::string, int> reached;
  std::string wrong;
};

/// Publishes numbers under a name until it is stopped.
struct talker {
  talker(topic<std::string> to, std::string name)
      : thread([this, to = std::move(to), name = std::move(name)] {
          auto out = to.publisher();
          while (!enough) {
            out.publish(name + "." + std::to_string(count + 1));
            ++count;
            if (count % 50 == 0) std::this_thread::sleep_for(1ms);  // so that others have a turn
          }
        }) {}
  int stop() {
    enough = true;
    if (thread.joinable()) thread.join();
    return count;
  }
  ~talker() { stop(); }
  std::atomic<bool> enough{false};
  std::atomic<int> count{0};
  std::thread thread;
};

}  // namespace

TEST_CASE("subscribers that come while others and this process publish get all of it, once, in order",
          "[redis][history]") {
  const auto format = GENERATE(redis::format::native, redis::format::packed, redis::format::raw);
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(redis::to_string(format), deduplicate);
  const redis_server server;
  process here(server);
  process there(server);
  const redis::stream_options with{
      .format = format, .overflow = overflow::block, .capacity = 4096, .deduplicate = deduplicate};
  auto topic = here.bus.topic<std::string>("x", {.history = 20});
  here.redis.stream<std::string>("x", with);
  there.redis.stream<std::string>("x", with);
  REQUIRE(here.redis.wait_ready(patience));
  REQUIRE(there.redis.wait_ready(patience));
  talker own(topic, "own");
  talker other(there.bus.topic<std::string>("x"), "other");
  std::deque<tally> told(scaled(10));
  std::vector<subscription> held;
  for (auto& each : told) {
    REQUIRE(eventually([&, before = own.count + 100] { return own.count >= before; }));
    held.push_back(topic.subscribe(each.handler(), {.from = replay::all()}));
  }
  const int from_here = own.stop();
  const int from_there = other.stop();
  for (const auto& each : told) {
    CHECK(eventually([&] { return each.has("own", from_here) && each.has("other", from_there); }));
    CHECK(each.complaint() == "");
  }
}

TEST_CASE("what was published and has not gone out yet is in the history of one that subscribes behind it",
          "[redis][history]") {
  const redis_server server;
  process a(server);
  auto topic = a.bus.topic<std::string>("x");
  a.redis.stream<std::string>("x", {.overflow = overflow::block});
  REQUIRE(a.redis.wait_ready(patience));
  for (int round = 1; round <= 20; ++round) {
    for (const auto& each : numbers(1 + 100 * (round - 1), 100 * round)) topic.publish(each);
    diary told;
    const auto s = topic.subscribe(told.handler(), {.from = replay::all()});
    REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
    CHECK(told.events() == numbers(1, 100 * round));
  }
}

TEST_CASE("one that waits for its history and stalls its topic meanwhile misses nothing and gets nothing twice",
          "[redis][history]") {
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto topic = a.bus.topic<std::string>("x", {.capacity = 4, .lane = 4});
  a.redis.stream<std::string>("x", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 100)) client.run("XADD", "t:x", "*", "data", each);
  REQUIRE(eventually([&] { return a.redis.stats().in == 100; }));
  int last = 100;
  for (std::size_t round = scaled(30); round != 0; --round) {
    const int first = last + 1;
    last += 40;
    std::thread other([&server, first, last] {
      redis_client mine(server);
      for (const auto& each : numbers(first, last)) mine.run("XADD", "t:x", "*", "data", each);
    });
    diary told;
    std::atomic<int> came{0};
    const auto s = topic.subscribe(
        overloaded{[&](const event<std::string>& e) {
                     told.add(*e);
                     ++came;
                   },
                   [&](const trimmed&) { told.add("trimmed"); }, [&](const epoch_reset&) { told.add("reset"); }},
        {.from = replay::all()});
    other.join();
    CHECK(eventually([&] { return came >= last; }));
    REQUIRE(told.get() == numbers(1, last));
  }
}

TEST_CASE("an event's offset is the id of its entry, and its place in it where several are packed",
          "[redis][history]") {
  const redis_server server;
  process a(server);
  process b(server);
  const redis::stream_options packed{.format = redis::format::packed};
  a.redis.stream<std::string>("x", packed);
  b.redis.stream<std::string>("x", packed);
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(b.redis.wait_ready(patience));
  auto in = b.bus.topic<std::string>("x").inbox();
  auto out = a.bus.topic<std::string>("x").publisher();
  const auto all = numbers(1, 1000);
  out.publish_all(all);
  std::vector<std::string> came;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto one = in.next(patience);
    REQUIRE(one);
    came.emplace_back(one->headers().get("redis.id"));
  }
  CHECK(redis_client(server).run("XLEN", "t:x").integer() < 1000);
  for (std::size_t i = 1; i < came.size(); ++i) {
    REQUIRE(redis::stream_offset::parse(came[i - 1]));
    CHECK(*redis::stream_offset::parse(came[i - 1]) < *redis::stream_offset::parse(came[i]));
  }
  const auto past = b.redis.history<std::string>("x", 1000);
  REQUIRE(past.size() == 1000);
  for (std::size_t i = 0; i < past.size(); ++i) CHECK(past[i].headers().get("redis.id") == came[i]);
  diary told;
  const auto s = b.bus.topic<std::string>("x").subscribe(told.handler(), {.from = replay::last(333)});
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  CHECK(told.events() == numbers(668, 1000));
}

TEST_CASE("topics of a pattern get what is older from their streams, also one that was made later",
          "[redis][history]") {
  const redis_server server;
  redis_client client(server);
  for (const auto& each : numbers(1, 10)) client.run("XADD", "t:s.old", "*", "data", each);
  process a(server);
  a.redis.stream<std::string>("s.*");
  REQUIRE(a.redis.wait_ready(patience));
  diary old;
  const auto s = a.bus.topic<std::string>("s.old").subscribe(old.handler(), {.from = replay::all()});
  REQUIRE(eventually([&] { return old.ends_with("caught up"); }));
  CHECK(old.events() == numbers(1, 10));
  auto fresh = a.bus.topic<std::string>("s.fresh");
  for (const auto& each : numbers(1, 10)) fresh.publish(each);
  diary later;
  const auto t = fresh.subscribe(later.handler(), {.from = replay::all()});
  REQUIRE(eventually([&] { return later.ends_with("caught up"); }));
  CHECK(later.events() == numbers(1, 10));
  CHECK(a.redis.unroute("s.*"));
  diary nothing;
  const auto u = fresh.subscribe(nothing.handler(), {.from = replay::all()});
  REQUIRE(eventually([&] { return nothing.ends_with("caught up"); }));
  CHECK(nothing.events().empty());
}

TEST_CASE("while Redis is away a subscription begins with what is here, after a while, and is not stuck",
          "[redis][history]") {
  redis_server server;
  process a(server, {.command_timeout = 200ms, .retry_first = 5ms, .retry_most = 20ms});
  auto topic = a.bus.topic<std::string>("x", {.history = 3});
  a.redis.stream<std::string>("x");
  REQUIRE(a.redis.wait_ready(patience));
  for (const auto& each : numbers(1, 5)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  server.kill();
  REQUIRE(eventually([&] { return !a.redis.wait_ready(0s); }));
  diary told;
  const auto s = topic.subscribe(told.handler(), {.from = replay::all()});
  topic.publish("6");
  REQUIRE(eventually([&] { return told.has("6"); }));
  CHECK(told.get() == lines{"3", "4", "5", "caught up", "6"});
}

TEST_CASE("where a stream only goes out, what others added before counts as history, and comes once",
          "[redis][history]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw);
  const bool deduplicate = GENERATE(false, true);
  CAPTURE(redis::to_string(format), deduplicate);
  const redis_server server;
  redis_client client(server);
  process a(server);
  auto topic = a.bus.topic<std::string>("x", {.history = 2});
  a.redis.stream<std::string>("x", {.direction = redis::direction::out, .format = format, .deduplicate = deduplicate});
  REQUIRE(a.redis.wait_ready(patience));
  client.run("XADD", "t:x", "*", "data", "other 1");
  for (const auto& each : numbers(1, 4)) topic.publish(each);
  REQUIRE(a.redis.flush(patience));
  client.run("XADD", "t:x", "*", "data", "other 2");
  diary told;
  const auto s = topic.subscribe(told.handler(), {.from = replay::all()});
  REQUIRE(eventually([&] { return told.ends_with("caught up"); }));
  CHECK(told.events() == lines{"other 1", "1", "2", "3", "4"});
}
