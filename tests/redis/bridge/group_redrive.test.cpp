// Dead letters of a group that go back to the streams they came from.
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>

#include "tests/redis/bridge/group_fixture.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using fields = std::map<std::string, std::string>;

/// Dead letters of the topic "work", of entries with so many fields each.
std::vector<fields> make_letters(redis_client& client, process& by, const std::vector<int>& counts) {
  std::vector<fields> all;
  for (const int count : counts) {
    std::vector<std::string> words{"XADD", "t:work", "*"};
    auto& one = all.emplace_back();
    for (int i = 0; i < count; ++i) one["& =%\r\n" + std::to_string(i)] = std::string("\0+", 2) + std::to_string(i);
    for (const auto& [name, value] : one) words.insert(words.end(), {name, value});
    client.run(words);
  }
  auto work = by.redis.consume<fields>("work", [](const fields&) { throw std::runtime_error("no good"); },
                                       {.group = "g", .max_deliveries = 1});
  CHECK(eventually([&] { return by.redis.stats().dead_letters == counts.size() && pending(client) == 0; }));
  CHECK(work.stop(patience));
  client.run("XTRIM", "t:work", "MAXLEN", "0");
  return all;
}

}  // namespace

TEST_CASE("redrive puts dead letters back as they were, each once", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  p.redis.stream<std::string>("work", {.direction = redis::direction::out});
  for (int i = 0; i < 250; ++i) p.bus.topic<std::string>("work").publish("bad " + std::to_string(i), {{"k", "v"}});
  std::atomic<bool> picky{true};
  work_done done;
  const auto work = p.redis.consume<std::string>(
      "work",
      [&](const event<std::string>& e) {
        if (picky) throw std::runtime_error("no good");
        if (e.headers() == headers{{"k", "v"}, {"redis.id", std::string(e.headers().get("redis.id"))}}) done.add(e);
      },
      {.group = "g", .max_deliveries = 1});
  REQUIRE(eventually([&] { return p.redis.stats().dead_letters == 250; }));
  std::vector<std::string> wanted;
  for (auto& each : entries(client, "t:work.dead")) wanted.push_back(each["data"]);
  CHECK(std::set<std::string>(wanted.begin(), wanted.end()).size() == 250);
  client.run("XADD", "t:work.dead", "*", "data", "somebody else's");
  picky = false;
  CHECK(p.redis.redrive("work.dead") == 250);
  REQUIRE(eventually([&] { return done.count() == 250; }));
  CHECK(done.values() == wanted);  // the oldest letter first
  for (const auto& each : done.calls()) CHECK(each.deliveries == 1);
  CHECK(entries(client, "t:work.dead").size() == 1);
  CHECK(p.redis.redrive("work.dead") == 0);
  CHECK(p.redis.redrive("nothing") == 0);
}

TEST_CASE("redrive puts back entries of any number of fields, the oldest first", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  const auto all = make_letters(client, p, {1, 2'000, 2'001, 20'000});
  CHECK(p.redis.redrive("work.dead", redis::format::fields) == 4);
  CHECK(entries(client, "t:work") == all);
  CHECK(client.run("XLEN", "t:work.dead").integer() == 0);
}

TEST_CASE("a dead letter that may not be deleted, or whose stream is none, is not put back: it is there once",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  const auto all = make_letters(client, p, {GENERATE(1, 5'000)});
  const auto redrive = [&] { return p.redis.redrive("work.dead", redis::format::fields); };
  client.run("ACL", "SETUSER", "default", "-xdel");
  CHECK(error_of(redrive) == errc::refused_by_server);
  CHECK(entries(client, "t:work").empty());
  CHECK(client.run("XLEN", "t:work.dead").integer() == 1);
  client.run("ACL", "SETUSER", "default", "+xdel");
  client.run("RENAME", "t:work", "t:elsewhere");
  client.run("SET", "t:work", "no stream");
  CHECK(error_of(redrive) == errc::refused_by_server);
  CHECK(client.run("XLEN", "t:work.dead").integer() == 1);
  client.run("RENAME", "t:elsewhere", "t:work");
  CHECK(redrive() == 1);
  CHECK(entries(client, "t:work") == all);
  CHECK(client.run("XLEN", "t:work.dead").integer() == 0);
}

TEST_CASE("two that redrive the same dead letters at once put each back once", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server), q(server);
  const std::size_t count = 30;
  make_letters(client, p, std::vector<int>(count, GENERATE(1, 2'001)));
  const auto all_of = [](process& by) {
    return std::async(std::launch::async, [&by] { return by.redis.redrive("work.dead", redis::format::fields); });
  };
  auto one = all_of(p), other = all_of(q);
  CHECK(one.get() + other.get() == count);
  CHECK(entries(client, "t:work").size() == count);
  CHECK(client.run("XLEN", "t:work.dead").integer() == 0);
}
