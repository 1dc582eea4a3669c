// A connection for commands that rests while there are none, as bridge_options::idle_timeout asks.
#include <algorithm>
#include <future>
#include <mutex>
#include <vector>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

bool rests(redis_client& beside) { return !mentions(beside.run("CLIENT", "LIST").text(), "name=actorbus:commands"); }

/// The phases that on_state told. The bridge may outlive it.
class phase_log {
 public:
  explicit phase_log(redis::bridge& of) {
    of.on_state([to = told_](const redis::state& s) {
      std::lock_guard lock(to->mutex);
      to->all.push_back(s.phase);
    });
  }
  std::ptrdiff_t count(redis::phase which) const {
    std::lock_guard lock(told_->mutex);
    return std::count(told_->all.begin(), told_->all.end(), which);
  }

 private:
  struct entries {
    std::mutex mutex;
    std::vector<redis::phase> all;
  };
  const std::shared_ptr<entries> told_ = std::make_shared<entries>();
};

}  // namespace

TEST_CASE("a connection for commands rests when asked to, and is there again for the next event", "[redis][resting]") {
  const redis_server server;
  process a(server, {.idle_timeout = 50ms});
  a.redis.stream<std::string>("x", {.direction = redis::direction::out});
  auto topic = a.bus.topic<std::string>("x");
  std::uint64_t made = 0;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    topic.publish(std::to_string(i));
    REQUIRE(eventually([&] { return a.redis.stats().out == i; }));
    redis_client client(server);
    REQUIRE(eventually([&] { return rests(client); }));
    // The first finds a connection that is there from the beginning, or has rested already.
    if (i != 1) CHECK(a.redis.stats().connections_made == made + 1);
    made = a.redis.stats().connections_made;
  }
}

TEST_CASE("a request wakes a connection that rests", "[redis][resting]") {
  const redis_server server;
  process a(server, {.idle_timeout = 20ms});
  a.redis.pubsub<std::string>("news", {.direction = redis::direction::out});
  REQUIRE(a.redis.wait_ready(patience));
  redis_client client(server);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(eventually([&] { return rests(client); }));
    a.redis.publish_all({"news"}, std::string("hello"));
    CHECK(a.redis.history<std::string>("x", 1).empty());
  }
}

TEST_CASE("a rest is no loss, and the bridge stays ready", "[redis][resting]") {
  const redis_server server;
  redis_client client(server);
  process a(server, {.idle_timeout = 20ms});
  phase_log told(a.redis);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out});
  REQUIRE(eventually([&] { return told.count(redis::phase::ready) >= 1; }));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    REQUIRE(eventually([&] { return rests(client); }));
    CHECK(a.redis.wait_ready(0s));
    const auto before = told.count(redis::phase::ready);  // more than one where the route came behind the first rest
    a.bus.topic<std::string>("x").publish("1");
    REQUIRE(eventually([&] { return a.redis.stats().out == i; }));
    REQUIRE(eventually([&] { return told.count(redis::phase::ready) == before + 1; }));
    CHECK(told.count(redis::phase::connecting) == before + 1);
  }
  CHECK(told.count(redis::phase::lost) == 0);
  CHECK(a.redis.stats().connections_lost == 0);
}

TEST_CASE("a connection that cannot be made behind a rest is told as lost", "[redis][resting]") {
  redis_server server;
  redis_client client(server);
  process a(server, {.idle_timeout = 20ms, .retry_first = 1ms, .retry_most = 10ms});
  phase_log told(a.redis);
  a.redis.stream<std::string>("x", {.direction = redis::direction::out});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(eventually([&] { return rests(client); }));
  server.kill();
  a.bus.topic<std::string>("x").publish("1");
  REQUIRE(eventually([&] { return told.count(redis::phase::lost) > 0; }));
  CHECK_FALSE(a.redis.wait_ready(0s));
  server.start();
  CHECK(eventually([&] { return a.redis.stats().out == 1; }));
}

TEST_CASE("streams that a pattern covers are looked for although the connection for commands rests",
          "[redis][resting]") {
  const redis_server server;
  redis_client client(server);
  process a(server, {.idle_timeout = 20ms});
  auto in = a.bus.topic<std::string>("orders.new").inbox();
  client.run("XADD", "t:orders.new", "*", "data", "1");
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(eventually([&] { return rests(client); }));
  a.redis.stream<std::string>("orders.*", {.from = replay::all(), .direction = redis::direction::in});
  CHECK(a.redis.wait_ready(patience));
  CHECK(read(in, 1) == std::vector<std::string>{"1"});
}

TEST_CASE("who asks while a resting connection is on its way waits for it, too", "[redis][resting]") {
  redis_server server;
  redis_client client(server);
  client.run("XADD", "t:x", "*", "data", "1");
  process a(server, {.command_timeout = patience, .idle_timeout = 20ms});
  REQUIRE(a.redis.wait_ready(patience));
  REQUIRE(eventually([&] { return rests(client); }));
  const auto before = a.redis.stats().commands;
  server.suspend();  // the system still accepts connections
  const auto ask = [&] { return a.redis.history<std::string>("x", 1).size(); };
  auto first = std::async(std::launch::async, ask);
  REQUIRE(eventually([&] { return a.redis.stats().commands > before; }));  // it greets
  auto second = std::async(std::launch::async, ask);
  CHECK(second.wait_for(50ms) == std::future_status::timeout);  // it would fail at once
  server.resume();
  CHECK(first.get() == 1);
  CHECK(second.get() == 1);
}
