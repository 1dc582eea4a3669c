// A server that does not let the bridge in.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/redis_server.hpp"

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// What on_state told, and when the test heard of it. The bridge may outlive it.
class state_log {
 public:
  struct entry {
    redis::state state;
    std::chrono::steady_clock::time_point when;
  };

  explicit state_log(redis::bridge& of) {
    of.on_state([to = told_](const redis::state& s) {
      std::lock_guard lock(to->mutex);
      to->all.push_back({s, std::chrono::steady_clock::now()});
    });
  }
  std::vector<entry> all() const {
    std::lock_guard lock(told_->mutex);
    return told_->all;
  }
  std::size_t count(redis::phase which) const {
    const auto now = all();
    return static_cast<std::size_t>(
        std::count_if(now.begin(), now.end(), [&](const entry& each) { return each.state.phase == which; }));
  }

 private:
  struct entries {
    std::mutex mutex;
    std::vector<entry> all;
  };
  const std::shared_ptr<entries> told_ = std::make_shared<entries>();
};

std::string at(const redis_server& server, const std::string& login) {
  return "redis://" + login + "127.0.0.1:" + std::to_string(server.port());
}

}  // namespace

TEST_CASE("a wrong password is told without it, tried again with growing pauses, and a right one lets in",
          "[redis][faults][login]") {
  const redis_server server({.password = "sesame", .users = {"ann on >s3cr3t ~* &* +@all"}});
  const auto [login, code] = GENERATE(table<std::string, std::string>(
      {{":wr0ng@", "WRONGPASS"}, {"ann:wr0ng@", "WRONGPASS"}, {"nobody:wr0ng@", "WRONGPASS"}, {"", "NOAUTH"}}));
  CAPTURE(login);
  redis_client client(server);
  recording_logger log;
  const auto begin = std::chrono::steady_clock::now();
  {
    bus local(bus_options{.logger = log.logger()});
    redis::bridge bridge(local, {.uri = at(server, login), .retry_first = 20ms, .retry_most = 5s});
    state_log states(bridge);
    bridge.pubsub<std::string>("x");
    REQUIRE(eventually([&] { return states.count(redis::phase::lost) >= 10; }));
    const auto all = states.all();
    CHECK(states.count(redis::phase::ready) == 0);
    for (const auto& each : all) {
      CAPTURE(each.state.reason);
      if (each.state.phase == redis::phase::lost) CHECK(mentions(each.state.reason, code));
      CHECK_FALSE(mentions(each.state.reason, "wr0ng"));
    }
    // Two connections: each has been tried five times, so it has waited four times, half of 20, 40, 80, 160 at least.
    CHECK(all.back().when - begin >= 150ms);
    CHECK_FALSE(bridge.wait_ready(0s));
    CHECK(bridge.stats().connections_made == 0);
    // What was wrong becomes right.
    const bool is_default = login.empty() || login.starts_with(":");
    const std::string user = is_default ? "default" : login.substr(0, login.find(':'));
    const std::string password = login.empty() ? "nopass" : ">wr0ng";
    client.run("ACL", "SETUSER", user, "on", password, "~*", "&*", "+@all");
    CHECK(bridge.wait_ready(20s));
  }
  CHECK_FALSE(mentions(log.text(), "wr0ng"));
}

TEST_CASE("a password that is changed is no matter until the connection is lost, then it is told, and waited for",
          "[redis][faults][login]") {
  const redis_server server({.password = "sesame"});
  redis_client client(server);
  bus local;
  redis::bridge bridge(local, {.uri = server.uri(), .retry_first = 1ms, .retry_most = 10ms});
  state_log states(bridge);
  auto topic = local.topic<std::string>("x");
  bridge.stream<std::string>("x", {.direction = redis::direction::out});
  topic.publish("1");
  REQUIRE(bridge.flush(20s));
  client.run("CONFIG", "SET", "requirepass", "other");
  topic.publish("2");
  REQUIRE(bridge.flush(20s));
  CHECK(states.count(redis::phase::lost) == 0);
  client.run("CLIENT", "KILL", "SKIPME", "yes");
  topic.publish("3");
  REQUIRE(eventually([&] {
    const auto all = states.all();
    return std::any_of(all.begin(), all.end(), [](const auto& e) { return mentions(e.state.reason, "WRONGPASS"); });
  }));
  client.run("CONFIG", "SET", "requirepass", "sesame");
  REQUIRE(bridge.flush(20s));
  CHECK(client.run("XLEN", "x").integer() == 3);
  for (const auto& each : states.all()) CHECK_FALSE(mentions(each.state.reason, "sesame"));
}

TEST_CASE("a consumer whose password is wrong is told, and begins once it is right", "[redis][faults][login]") {
  const redis_server server({.users = {"ann on >s3cr3t ~* &* +@all"}});
  redis_client client(server);
  bus local;
  redis::bridge bridge(local, {.uri = at(server, "ann:wr0ng@"), .retry_first = 1ms, .retry_most = 10ms});
  state_log states(bridge);
  std::atomic<int> calls{0};
  const auto work = bridge.consume<std::string>("work", [&](const std::string&) { ++calls; }, {.group = "g"});
  client.run("XADD", "work", "*", "data", "1");
  REQUIRE(eventually([&] {
    const auto all = states.all();
    return std::any_of(all.begin(), all.end(), [](const auto& e) {
      return mentions(e.state.reason, "group: ") && mentions(e.state.reason, "WRONGPASS");
    });
  }));
  CHECK(calls == 0);
  client.run("ACL", "SETUSER", "ann", ">wr0ng");
  CHECK(eventually([&] { return bridge.stats().consumed == 1; }));
  CHECK(calls == 1);
}

TEST_CASE("a server that quotes the login it does not understand brings it into no reason and no log",
          "[redis][faults][login]") {
  const redis_server server({.directives = {"rename-command AUTH \"\""}});
  recording_logger log;
  {
    bus local(bus_options{.logger = log.logger()});
    redis::bridge bridge(local, {.uri = at(server, "bob:hunter2@"), .retry_first = 1ms, .retry_most = 10ms});
    state_log states(bridge);
    bridge.pubsub<std::string>("x");
    REQUIRE(eventually([&] { return states.count(redis::phase::lost) >= 4; }));
    for (const auto& each : states.all()) {
      CAPTURE(each.state.reason);
      if (each.state.phase == redis::phase::lost) CHECK(mentions(each.state.reason, "AUTH: ERR"));
      CHECK_FALSE(mentions(each.state.reason, "hunter2"));
      CHECK_FALSE(mentions(each.state.reason, "bob"));
    }
  }
  CHECK_FALSE(mentions(log.text(), "hunter2"));
}

TEST_CASE("a user who needs no password is logged in as", "[redis][faults][login]") {
  const redis_server server({.users = {"ann on nopass ~* &* +@all"}});
  bus local;
  redis::bridge bridge(local, {.uri = at(server, "ann@")});
  bridge.pubsub<std::string>("x");
  REQUIRE(bridge.wait_ready(20s));
  std::istringstream clients(redis_client(server).run("CLIENT", "LIST").text());
  std::size_t count = 0;
  for (std::string each; std::getline(clients, each);) {
    if (!mentions(each, "name=actorbus")) continue;
    CHECK(mentions(each, " user=ann "));
    ++count;
  }
  CHECK(count == 2);
}

TEST_CASE("a database that is not there is told as the reason", "[redis][faults][login]") {
  const redis_server server;
  bus local;
  redis::bridge bridge(local, {.uri = server.uri() + "/999", .retry_first = 1ms, .retry_most = 10ms});
  state_log states(bridge);
  REQUIRE(eventually([&] { return states.count(redis::phase::lost) >= 3; }));
  for (const auto& each : states.all()) {
    if (each.state.phase == redis::phase::lost) CHECK(mentions(each.state.reason, "SELECT: ERR"));
  }
}

TEST_CASE("an orderly close is no loss", "[redis][faults][login]") {
  const redis_server server;
  bus local;
  redis::bridge bridge(local, {.uri = server.uri()});
  state_log states(bridge);
  bridge.pubsub<std::string>("p");
  bridge.stream<std::string>("s");
  REQUIRE(bridge.wait_ready(20s));
  bridge.close(1s);
  REQUIRE(eventually([&] { return states.count(redis::phase::closed) == 1; }));
  CHECK(states.count(redis::phase::lost) == 0);
  CHECK(bridge.stats().connections_lost == 0);
}

TEST_CASE("a state tells the number of the connection that it is about", "[redis][faults][login]") {
  const redis_server server;
  redis_client client(server);
  bus local;
  redis::bridge bridge(local, {.uri = server.uri(), .retry_first = 1ms, .retry_most = 10ms});
  state_log states(bridge);
  bridge.pubsub<std::string>("p");
  REQUIRE(bridge.wait_ready(20s));
  // The one for commands is made first, the one for messages second.
  client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  REQUIRE(eventually([&] { return states.count(redis::phase::lost) != 0; }));
  const auto all = states.all();
  const auto lost =
      std::find_if(all.begin(), all.end(), [](const auto& each) { return each.state.phase == redis::phase::lost; });
  CHECK(mentions(lost->state.reason, "commands: "));
  CHECK(lost->state.connection == 1);
}
