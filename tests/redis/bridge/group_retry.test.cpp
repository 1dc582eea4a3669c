// Consumers of a group whose handlers throw: retries, dead letters, and what goes back.
#include <atomic>
#include <mutex>
#include <stdexcept>

#include "tests/redis/bridge/group_fixture.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// What crosses as a number in digits, and as nothing else.
struct number {
  int value;
};

}  // namespace

template <>
struct actorbus::codec<number> {
  static constexpr std::string_view content_type = "text/plain";

  static void encode(const number& value, std::string& to) { to += std::to_string(value.value); }
  static number decode(std::string_view from) {
    if (from.find_first_not_of("0123456789") != from.npos) throw std::runtime_error("that is no number");
    return {std::stoi(std::string(from))};
  }
};

namespace {

using lines = std::vector<std::string>;

redis::consume_options quick(redis::consume_options with = {}) {
  with.group = "g";
  with.retry_first = 1ms;
  with.retry_most = 20ms;
  return with;
}

/// Fails at the values that begin with `bad`.
auto picky(work_done& seen) {
  return [&seen](const event<std::string>& e) {
    seen.add(e);
    if (e->starts_with("bad")) throw std::runtime_error("no good: " + *e);
  };
}

}  // namespace

TEST_CASE("an event whose handler throws comes again, marked with the server's count, until it is handled",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"a", "b"});
  process p(server);
  work_done done;
  const auto work = p.redis.consume<std::string>(
      "work",
      [&](const event<std::string>& e) {
        done.add(e);
        if (*e == "a" && done.count("a") < 4) throw std::runtime_error("not yet");
      },
      quick());
  REQUIRE(eventually([&] { return pending(client) == 0 && done.count() == 5; }));
  CHECK(done.deliveries("a") == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(done.deliveries("b") == std::vector<std::uint64_t>{1});
  CHECK(p.redis.stats().handlers_failed == 3);
  CHECK(client.run("EXISTS", "t:work.dead").integer() == 0);
}

TEST_CASE("an event that fails max_deliveries times is a dead letter that says whose it was and what was wrong",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  p.redis.stream<std::string>("work", {.direction = redis::direction::out});
  work_done done;
  const auto work = p.redis.consume<std::string>(
      "work", picky(done), quick({.consumer = "c", .max_deliveries = 3, .dead_letter = "morgue"}));
  p.bus.topic<std::string>("work").publish("bad one", {{"k", "v"}});
  p.bus.topic<std::string>("work").publish("good one");
  REQUIRE(eventually([&] { return p.redis.stats().dead_letters == 1 && p.redis.stats().consumed == 1; }));
  CHECK(done.deliveries("bad one") == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(done.count("good one") == 1);
  CHECK(pending(client) == 0);
  const auto letters = entries(client, "t:morgue");
  REQUIRE(letters.size() == 1);
  const auto first = client.run("XRANGE", "t:work", "-", "+", "COUNT", "1")[0][0].text();
  CHECK(letters[0].at("dead_letter.topic") == "work");
  CHECK(letters[0].at("dead_letter.stream") == "t:work");
  CHECK(letters[0].at("dead_letter.id") == first);
  CHECK(letters[0].at("dead_letter.group") == "g");
  CHECK(letters[0].at("dead_letter.consumer") == "c");
  CHECK(letters[0].at("dead_letter.attempts") == "3");
  CHECK(letters[0].at("dead_letter.error") == "no good: bad one");
  CHECK(letters[0].at("data") == "bad one");

  SECTION("an event of the dead letters' topic has that as headers, in the publisher's process too") {
    auto in = p.bus.topic<std::string>("morgue").inbox();
    p.redis.stream<std::string>("morgue", {.from = replay::all()});
    const auto letter = in.next(patience);
    REQUIRE(letter);
    CHECK(**letter == "bad one");
    CHECK(letter->headers().get("k") == "v");
    CHECK(letter->headers().get("dead_letter.error") == "no good: bad one");
    CHECK(letter->headers().get("dead_letter.id") == first);
    CHECK(p.redis.history<std::string>("morgue", 1).at(0).headers().get("dead_letter.attempts") == "3");
  }
}

TEST_CASE("the server's count of deliveries stands through restarts of consumers", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"bad"});
  work_done done;
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    process p(server);
    auto with = quick({.consumer = "c", .max_deliveries = 4});
    with.retry_first = with.retry_most = 1h;  // each of them tries once
    auto work = p.redis.consume<std::string>("work", picky(done), with);
    wanted.push_back(i);
    REQUIRE(eventually([&] { return p.redis.stats().handlers_failed == 1; }));
    CHECK(done.deliveries("bad") == wanted);
    if (i == 4) CHECK(eventually([&] { return p.redis.stats().dead_letters == 1; }));
    if (i % 2 == 0) {
      work.kill();
    } else {
      CHECK(work.stop(patience));
    }
  }
  CHECK(pending(client) == 0);
}

TEST_CASE("what cannot be decoded goes to the dead letters at once, with its fields as they are", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  const std::string binary("\0\xff\r\n", 4);
  client.run("XADD", "t:work", "*", "no", "data", "", "", binary, binary);
  add_work(client, {"fine"});
  std::vector<std::string> wide{"XADD", "t:work", "*"};
  for (int i = 0; i < 5000; ++i) wide.insert(wide.end(), {"f" + std::to_string(i), "x"});
  client.run(wide);
  process p(server);
  work_done done;
  const auto work = p.redis.consume<std::string>("work", done.handler(), quick());
  REQUIRE(eventually([&] { return p.redis.stats().dead_letters == 2 && done.count() == 1; }));
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(p.redis.stats().decode_failures == 2);
  const auto letters = client.run("XRANGE", "t:work.dead", "-", "+");
  const auto words = letters[0][1].texts();
  REQUIRE(words.size() == 20);
  CHECK(lines(words.begin() + 14, words.end()) == lines{"no", "data", "", "", binary, binary});
  CHECK(words[11] == "1");
  CHECK(words[13] == "it has no field `data`");
  CHECK(letters[1][1].texts()[14] == "dead_letter.fields");  // more than a script could hand on
  CHECK(letters[1][1].texts()[15].starts_with("f0=x&f1=x&"));
}

TEST_CASE("what its type's codec refuses goes to the dead letters at once, and of a packed entry that alone",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  const auto format = GENERATE(redis::format::native, redis::format::packed);
  {
    process publisher(server);
    auto to = publisher.bus.topic<std::string>("work");
    publisher.redis.stream<std::string>("work", {.direction = redis::direction::out, .format = format});
    for (const auto& each : {"1", "poison", "2"}) to.publish(each);
    REQUIRE(publisher.redis.flush(patience));
  }
  process p(server);
  std::atomic<int> sum{0}, calls{0};
  const auto work = p.redis.consume<number>(
      "work", [&](const number& n) { sum += n.value, ++calls; }, quick({.format = format}));
  REQUIRE(eventually([&] { return p.redis.stats().dead_letters == 1 && calls == 2; }));
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(sum == 3);
  CHECK(p.redis.stats().decode_failures == 1);
  CHECK(p.redis.stats().handlers_failed == 0);
  p.redis.stream<std::string>("work.dead", {.direction = redis::direction::in, .format = format});
  const auto letters = p.redis.history<std::string>("work.dead", 10);
  REQUIRE(letters.size() == 1);
  CHECK(*letters[0] == "poison");
  CHECK(letters[0].headers().get("dead_letter.error").starts_with("that is no number"));
  CHECK(letters[0].headers().get("dead_letter.attempts") == "1");
}

TEST_CASE("of a packed entry the events that failed are tried again, and those alone are dead letters",
          "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server);
  work_done done;
  {
    process publisher(server);
    auto to = publisher.bus.topic<std::string>("work");
    publisher.redis.stream<std::string>("work", {.direction = redis::direction::out, .format = redis::format::packed});
    for (const auto& each : {"1", "bad", "2", "bad too", "3"}) to.publish(each, {{"k", "v"}});
    REQUIRE(publisher.redis.flush(patience));
  }
  const auto work = p.redis.consume<std::string>(
      "work",
      [&](const event<std::string>& e) {
        done.add(e);
        if (e->starts_with("bad")) throw std::runtime_error("no good");
      },
      quick({.max_deliveries = 3, .format = redis::format::packed}));
  REQUIRE(eventually([&] { return p.redis.stats().dead_letters >= 1 && pending(client) == 0; }));
  for (const auto& each : {"1", "2", "3"}) CHECK(done.deliveries(each) == std::vector<std::uint64_t>{1});
  for (const auto& each : {"bad", "bad too"}) CHECK(done.deliveries(each) == std::vector<std::uint64_t>{1, 2, 3});
  p.redis.stream<std::string>("work.dead", {.direction = redis::direction::in, .format = redis::format::packed});
  const auto letters = p.redis.history<std::string>("work.dead", 10);
  REQUIRE(letters.size() == 2);
  CHECK(*letters[0] == "bad");
  CHECK(*letters[1] == "bad too");
  CHECK(letters[0].headers().get("k") == "v");
}

TEST_CASE("a dead letter that the server refuses stays pending, and goes once it may", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  client.run("SET", "t:work.dead", "not a stream");
  add_work(client, {"bad", "good"});
  process p(server);
  work_done done;
  const auto work = p.redis.consume<std::string>("work", picky(done), quick({.max_deliveries = 1}));
  REQUIRE(eventually([&] { return p.redis.stats().consumed == 1 && p.redis.stats().handlers_failed == 1; }));
  CHECK(pending(client) == 1);
  client.run("DEL", "t:work.dead");
  CHECK(eventually([&] { return pending(client) == 0; }));
  CHECK(entries(client, "t:work.dead").size() == 1);
}

TEST_CASE("a consumer retries and acknowledges also where the connection for commands may rest", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  process p(server, {.idle_timeout = 20ms});
  work_done done;
  const auto work = p.redis.consume<std::string>(
      "work",
      [&](const event<std::string>& e) {
        done.add(e);
        if (*e == "a" && done.count("a") < 4) throw std::runtime_error("not yet");
      },
      quick());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(eventually(
        [&] { return client.run("CLIENT", "LIST").text().find("name=actorbus:commands") == std::string::npos; }));
    add_work(client, {"a", "b"});
    REQUIRE(eventually([&] { return pending(client) == 0 && done.count("b") == static_cast<std::size_t>(i) + 1; }));
  }
  CHECK(done.count("a") == 6);
}

TEST_CASE("who consumes dead letters is told whose they were", "[redis][group]") {
  const redis_server server;
  redis_client client(server);
  add_work(client, {"bad"});
  process p(server);
  work_done done;
  const auto work = p.redis.consume<std::string>("work", picky(done), quick());
  std::mutex mutex;
  lines told;
  auto with = quick();
  with.group = "h";
  const auto letters = p.redis.consume<std::string>(
      "work.dead",
      [&](const event<std::string>& e) {
        std::lock_guard lock(mutex);
        told.push_back(*e + ", " + std::string(e.headers().get("dead_letter.topic", "")) + ", " +
                       std::string(e.headers().get("dead_letter.error", "")));
      },
      with);
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return told.size() == 1;
  }));
  std::lock_guard lock(mutex);
  CHECK(told == lines{"bad, work, no good: bad"});
}
