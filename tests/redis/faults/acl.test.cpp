// A bridge as the user of FORMAT.md, who may do what a bridge needs, and no more.
#include <fstream>
#include <set>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/redis_server.hpp"

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;
using words = std::vector<std::string>;

namespace {

/// The line `ACL SETUSER bridge ...` of FORMAT.md.
words user_of_format_md() {
  std::ifstream from(ACTORBUS_FORMAT_MD);
  for (std::string line; std::getline(from, line);) {
    if (!line.starts_with("ACL SETUSER bridge ")) continue;
    std::istringstream parts(line);
    return {std::istream_iterator<std::string>(parts), {}};
  }
  return {};
}

/// The commands that the user may run, as INFO commandstats names them.
std::set<std::string> allowed(const words& user) {
  std::set<std::string> result;
  for (const auto& each : user) {
    if (each.starts_with("+")) result.insert(each.substr(1));
  }
  return result;
}

std::set<std::string> called(redis_client& client) {
  std::set<std::string> result;
  std::istringstream from(client.run("INFO", "commandstats").text());
  const std::string begin = "cmdstat_";
  for (std::string line; std::getline(from, line);) {
    if (line.starts_with(begin) && !mentions(line, ":calls=0,"))
      result.insert(line.substr(begin.size(), line.find(':') - begin.size()));
  }
  return result;
}

redis::bridge_options as_that_user(const redis_server& server) {
  return {.uri = "redis://bridge:secret@127.0.0.1:" + std::to_string(server.port()), .prefix = "app:"};
}

void share_messages(const redis_server& server) {
  bus here, there;
  redis::bridge a(here, as_that_user(server));
  redis::bridge b(there, as_that_user(server));
  for (auto* each : {&a, &b}) {
    each->pubsub<std::string>("news");
    each->pubsub<std::string>("orders.*");
    REQUIRE(each->wait_ready(20s));
  }
  auto heard = there.topic<std::string>("news").inbox();
  auto orders = there.inbox<std::string>("orders.*");
  here.topic<std::string>("news").publish("1");
  CHECK(heard.next(20s));
  a.publish_all<std::string>({"orders.a", "orders.b"}, "2");
  CHECK(orders.next(20s));
  CHECK(orders.next(20s));
  CHECK(b.unroute("news"));
  CHECK(b.unroute("orders.*"));
}

void share_streams(const redis_server& server) {
  bus here, there;
  redis::bridge a(here, as_that_user(server));
  redis::bridge b(there, as_that_user(server));
  a.stream<std::string>("ledger", {.maxlen = 100, .ttl = 1h, .deduplicate = true, .resume_as = "a"});
  a.stream<std::string>("plain.one", {.ttl = 1h});
  a.stream<std::string>("plain.two", {.from = replay::last(1)});
  here.topic<std::string>("plain.one").publish("1");
  CHECK(a.publish_confirmed<std::string>("ledger", "2").get() != redis::stream_id{});
  auto unheard = a.publish_confirmed<std::string>("ledger", "3", {.within = 100ms, .replicas = 1});
  CHECK_THROWS_AS(unheard.get(), bus_error);  // there is no replica; it is asked for all the same
  REQUIRE(a.flush(20s));
  auto all = there.inbox<std::string>("plain.*");
  b.stream<std::string>("plain.*", {.from = replay::all(), .direction = redis::direction::in});
  CHECK(all.next(20s));
  b.stream<std::string>("later", {.direction = redis::direction::in});  // ends the read that waits
  REQUIRE(b.wait_ready(20s));
  CHECK(b.history<std::string>("ledger", 10).size() == 2);
}

void share_work(const redis_server& server, redis_client& client) {
  bus here;
  redis::bridge a(here, as_that_user(server));
  for (const std::string value : {"fine", "bad"}) client.run("XADD", "app:work", "*", "data", value);
  {
    const auto work = a.consume<std::string>(
        "work",
        [](const std::string& value) {
          if (value == "bad") throw std::runtime_error("bad");
        },
        {.group = "g", .max_deliveries = 2, .claim_after = 30ms, .retry_first = 1ms, .forget_after = 10ms});
    REQUIRE(eventually([&] { return a.stats().dead_letters == 1; }));
    client.run("XREADGROUP", "GROUP", "g", "gone", "STREAMS", "app:work", ">");
    REQUIRE(eventually([&] { return client.run("XINFO", "CONSUMERS", "app:work", "g").size() == 1; }));
  }
  CHECK(client.run("XINFO", "CONSUMERS", "app:work", "g").size() == 0);
  CHECK(a.redrive("work.dead") == 1);
}

}  // namespace

TEST_CASE("a user who may run the commands that FORMAT.md lists can do all that a bridge does, and needs them",
          "[redis][faults][login]") {
  const redis_server server;
  redis_client client(server);
  words user = user_of_format_md();
  REQUIRE(user.size() > 10);
  user.push_back("&app:orders.*");  // a pattern is allowed to the letter only
  client.run(user);
  share_messages(server);
  share_streams(server);
  share_work(server, client);
  {
    bus here;
    redis::bridge a(here, as_that_user(server));
    REQUIRE(a.wait_ready(20s));
    CHECK(a.flush_all() != 0);
    CHECK(client.run("DBSIZE").integer() == 0);
  }
  const auto refused = client.run("ACL", "LOG");
  INFO(refused.describe());
  CHECK(refused.size() == 0);
  // Those that end a connection which was given up, or ask for the id that a lost reply told, are for misfortune only.
  auto needless = allowed(user);
  for (const auto& each : called(client)) needless.erase(each);
  CHECK(needless == std::set<std::string>{"client|kill", "client|list", "hget"});
}

TEST_CASE("a subscription that an ACL denies is counted as refused, and in force on the next connection once granted",
          "[redis][faults][login]") {
  const redis_server server;
  redis_client client(server);
  words user = user_of_format_md();
  user.insert(user.end(), {"-subscribe", "-psubscribe"});
  client.run(user);
  bus here;
  auto options = as_that_user(server);
  options.retry_first = 1ms;
  redis::bridge a(here, options);
  a.pubsub<std::string>("news");
  a.pubsub<std::string>("orders.*");
  REQUIRE(eventually([&] { return a.stats().refused == 2; }));
  CHECK(a.wait_ready(20s));  // for the rest
  here.topic<std::string>("news").publish("1");
  CHECK(a.flush(20s));
  CHECK(a.stats().connections_lost == 0);
  client.run("ACL", "SETUSER", "bridge", "+subscribe", "+psubscribe", "&app:orders.*");
  client.run("CLIENT", "KILL", "USER", "bridge");
  auto orders = here.inbox<std::string>("orders.*");
  auto news = here.topic<std::string>("news").inbox();
  CHECK(eventually([&] { return client.run("PUBLISH", "app:orders.a", "2").integer() == 1; }));
  CHECK(eventually([&] { return client.run("PUBLISH", "app:news", "2").integer() == 1; }));
  CHECK(orders.next(20s));
  CHECK(news.next(20s));
}
