// How consumers of a group end: stopped, killed, with their bridge and with their bus.
#include <atomic>
#include <future>
#include <stdexcept>

#include "tests/redis/bridge/group_fixture.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// One consumer that stands still at its first event, with ten in hand.
struct busy {
  explicit busy(const redis_server& server) : client(server), p(server) {
    add_work(client, numbers(1, 20));
    work = p.redis.consume<std::string>("work",
                                        [this](const event<std::string>& e) {
                                          if (*e == "1") held.pass();
                                          done.add(e);
                                        },
                                        {.group = "g", .consumer = "c", .max_in_flight = 10});
    REQUIRE(held.reached());
    REQUIRE(eventually([&] { return pending(client) == 10; }));
  }
  std::future<bool> open_once_ended() {
    return std::async(std::launch::async, [this] {
      const bool ended = eventually([this] { return !work.active() && p.redis.stats().in_hand == 0; });
      held.open();
      return ended;
    });
  }
  redis_client client;
  gate held;
  work_done done;
  process p;
  redis::consumer work;
  opens_at_the_end guard{held};
};

/// Somebody has come to that command, by CLIENT LIST.
bool shows(redis_client& client, const std::string& command) {
  return eventually([&] { return mentions(client.run("CLIENT", "LIST").text(), command); });
}

}  // namespace

TEST_CASE("stop finishes and acknowledges what is in hand, takes no more, and leaves the group", "[redis][group]") {
  const redis_server server;
  busy b(server);
  CHECK(b.work.active());
  auto stopped = std::async(std::launch::async, [&] { return b.work.stop(patience); });
  CHECK(eventually([&] { return !b.work.active(); }));
  b.held.open();
  CHECK(stopped.get());
  CHECK(b.done.values() == numbers(1, 10));
  CHECK(pending(b.client) == 0);
  CHECK(consumers(b.client).empty());
  CHECK(b.p.redis.wait_ready(patience));  // it is not waited for any more
}

TEST_CASE("a consumer stopped during a pause for writes, before it has begun, ends behind it, and the server lives",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server, {.command_timeout = patience});
  work_done done;
  REQUIRE(p.redis.wait_ready(patience));
  client.run("CLIENT", "PAUSE", 100'000, "WRITE");
  auto work = p.redis.consume<std::string>("work", done.handler(), {.group = "g", .forget_after = 0s});
  REQUIRE(shows(client, "cmd=xgroup|create"));
  auto stopped = std::async(std::launch::async, [&] { return work.stop(patience); });
  REQUIRE(shows(client, "cmd=xack"));
  client.run("CLIENT", "UNPAUSE");
  CHECK(stopped.get());
  CHECK(p.redis.stats().connections_lost == 0);
}

TEST_CASE("a consumer stopped during a pause for writes, while it reads, ends behind it, and the server lives",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server, {.command_timeout = patience});
  work_done done;
  auto work = p.redis.consume<std::string>("work", done.handler(), {.group = "g", .forget_after = 0s});
  REQUIRE(p.redis.wait_ready(patience));
  client.run("CLIENT", "PAUSE", 100'000, "WRITE");
  auto stopped = std::async(std::launch::async, [&] { return work.stop(patience); });
  REQUIRE(shows(client, "cmd=xack"));
  client.run("CLIENT", "UNPAUSE");
  CHECK(stopped.get());
}

TEST_CASE("a stop that is not over in time leaves the rest pending", "[redis][group]") {
  const redis_server server;
  busy b(server);
  auto opened = b.open_once_ended();
  const bool all = b.work.stop(20ms);  // and then waits for the call that runs
  CHECK_FALSE(all);
  CHECK(opened.get());
  CHECK(b.done.values() == numbers(1, 1));
  CHECK(pending(b.client) == 10);
  CHECK(consumers(b.client) == std::set<std::string>{"c"});
}

TEST_CASE("kill leaves what is in hand pending, and waits for the call that runs", "[redis][group]") {
  const redis_server server;
  busy b(server);
  auto opened = b.open_once_ended();
  b.work.kill();
  CHECK(opened.get());
  CHECK(b.done.count() == 1);
  CHECK(pending(b.client) == 10);
  work_done others;
  const auto next = b.p.redis.consume<std::string>("work", others.handler(), {.group = "g", .claim_after = 10ms});
  CHECK(eventually([&] { return others.count() == 20; }));
  CHECK(eventually([&] { return pending(b.client) == 0; }));
}

TEST_CASE("what is about to be retried when a consumer stops comes to another soon", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"later"});
  process p(server);
  auto work = p.redis.consume<std::string>("work", [](const std::string&) { throw std::runtime_error("not now"); },
                                           {.group = "g", .claim_after = 1h, .retry_first = 1h, .retry_most = 1h});
  REQUIRE(eventually([&] { return p.redis.stats().handlers_failed == 1; }));
  CHECK(work.stop(patience));
  CHECK(pending(client) == 1);
  CHECK(consumers(client).size() == 1);  // never deleted while something is pending for it
  work_done done;
  const auto next = p.redis.consume<std::string>("work", done.handler(), {.group = "g", .claim_after = 1h});
  REQUIRE(eventually([&] { return done.count() == 1; }));
  CHECK(done.deliveries("later") == std::vector<std::uint64_t>{2});
}

TEST_CASE("the destructor of a handle stops its consumer, and so does another that takes its place", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server, {.close_within = patience});
  work_done first;
  work_done second;
  {
    auto work = p.redis.consume<std::string>("work", first.handler(), {.group = "g"});
    add_work(client, {"1"});
    REQUIRE(eventually([&] { return first.count() == 1; }));
    work = p.redis.consume<std::string>("work", second.handler(), {.group = "g"});
    add_work(client, {"2"});
    REQUIRE(eventually([&] { return second.count() == 1; }));
  }
  CHECK(first.count() == 1);
  CHECK(consumers(client).empty());
  CHECK(pending(client) == 0);
}

TEST_CASE("a consumer may be stopped, killed and destroyed in its own handler", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 2));
  process p(server);
  const auto how = GENERATE(0, 1, 2);
  redis::consumer work;
  std::atomic<bool> waited{false};
  std::promise<void> made;
  std::promise<void> ended;
  auto is_made = made.get_future().share();
  work = p.redis.consume<std::string>("work",
                                      [&](const std::string& value) {
                                        is_made.wait();
                                        if (value != "1") return;
                                        if (how == 0) waited = work.stop(patience);
                                        if (how == 1) work.kill();
                                        if (how == 2) work = redis::consumer();
                                        ended.set_value();
                                      },
                                      {.group = "g"});
  made.set_value();
  REQUIRE(ended.get_future().wait_for(patience) == std::future_status::ready);
  CHECK_FALSE(waited);
  CHECK_FALSE(work.active());
  CHECK(eventually([&] { return p.redis.stats().in_hand == 0; }));
  CHECK(eventually([&] { return pending(client) == (how == 0 ? 0 : 2); }));
}

TEST_CASE("closing a bus finishes its consumers' work, and what their handlers publish goes out", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, numbers(1, 50));
  process p(server);
  p.redis.stream<std::string>("made", {.direction = redis::direction::out});
  std::atomic<int> calls{0};
  auto work = p.redis.consume<std::string>("work",
                                           [&](const std::string& value) {
                                             p.bus.topic<std::string>("made").publish("of " + value);
                                             ++calls;
                                           },
                                           {.group = "g", .max_in_flight = 5});
  REQUIRE(eventually([&] { return calls > 0; }));
  p.bus.close(patience);
  p.redis.close(patience);
  CHECK_FALSE(work.active());
  CHECK(pending(client) == 0);
  CHECK(client.run("XLEN", "t:made").integer() == calls);
  CHECK(p.redis.stats().consumed == static_cast<std::uint64_t>(calls));
}

TEST_CASE("a handle outlives its bridge and its bus", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  work_done done;
  redis::consumer work;
  {
    process p(server, {.close_within = patience});
    work = p.redis.consume<std::string>("work", done.handler(), {.group = "g"});
    add_work(client, {"1"});
    REQUIRE(eventually([&] { return done.count() == 1; }));
  }
  CHECK_FALSE(work.active());
  CHECK(pending(client) == 0);
  work.stop(patience);
  work.kill();
  redis::consumer().stop(patience);
}
