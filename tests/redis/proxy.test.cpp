#include "tests/redis/proxy.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

struct behind_a_proxy {
  redis_server server;
  proxy between{server};

  redis_client connect() { return redis_client("127.0.0.1", between.port()); }
};

}  // namespace

TEST_CASE("a proxy passes everything on, both ways, and counts it", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect();
  const std::string large(3'000'000, 'x');
  CHECK(client.run("ECHO", "hello").text() == "hello");
  CHECK(on.between.connections() == 1);
  CHECK(on.between.open_connections() == 1);
  CHECK(on.between.request_bytes() == std::string("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n").size());
  CHECK(on.between.reply_bytes() == std::string("$5\r\nhello\r\n").size());
  CHECK(client.run("ECHO", large).text() == large);
}

TEST_CASE("a proxy passes on that a side has closed", "[proxy]") {
  behind_a_proxy on;
  redis_client survivor(on.server);
  {
    redis_client client = on.connect();
    client.run("CLIENT", "SETNAME", "short");
    CHECK(survivor.run("CLIENT", "LIST").text().find("name=short") != std::string::npos);
  }
  CHECK(eventually([&] { return survivor.run("CLIENT", "LIST").text().find("name=short") == std::string::npos; }));
  CHECK(eventually([&] { return on.between.open_connections() == 0; }));
  redis_client client = on.connect();
  client.run("PING");
  on.server.kill();
  CHECK_THROWS_AS(client.read(), std::runtime_error);
}

TEST_CASE("a connection stalled for its replies sends requests that the server obeys, and hears nothing", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect(), beside(on.server);
  client.run("PING");
  on.between.stall(forwarding::replies);
  client.send({"SET", "key", "value"});
  CHECK_FALSE(client.read_within(1ms));
  CHECK(eventually([&] { return !beside.run("GET", "key").is_nil(); }));
  CHECK(on.between.reply_bytes() == std::string("+PONG\r\n").size());
  on.between.resume();
  CHECK(client.read().text() == "OK");
}

TEST_CASE("a connection stalled for its requests reaches nobody, nor does its end", "[proxy]") {
  behind_a_proxy on;
  redis_client beside(on.server);
  {
    redis_client client = on.connect();
    client.run("CLIENT", "SETNAME", "half");
    on.between.stall();
    client.send({"SET", "key", "value"});
    CHECK_FALSE(client.read_within(1ms));
  }
  on.between.delay(0ms);  // behind it, the thread has had its chance
  CHECK(beside.run("GET", "key").is_nil());
  CHECK(beside.run("CLIENT", "LIST").text().find("name=half") != std::string::npos);
  on.between.resume();
  CHECK(eventually([&] { return !beside.run("GET", "key").is_nil(); }));
}

TEST_CASE("a cut connection is reset, the next one works", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect();
  client.run("PING");
  on.between.cut();
  CHECK(on.between.open_connections() == 0);
  CHECK_THROWS_AS(client.run("PING"), std::runtime_error);
  CHECK(on.connect().run("PING").text() == "PONG");
}

TEST_CASE("a connection is cut after exactly so many bytes of replies, in the middle of one", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect();
  client.run("PING");
  const auto before = on.between.reply_bytes();
  const std::uint64_t bytes = GENERATE(0u, 1u, 7u, 10u, 14u);  // +PONG\r\n is 7
  on.between.cut_after(bytes);
  std::uint64_t whole = 0;
  for (int i = 0; i < 5; ++i) client.send({"PING"});
  CHECK_THROWS_AS(
      [&] {
        for (;; ++whole) client.read();
      }(),
      std::runtime_error);
  CHECK(whole == bytes / 7);
  CHECK(on.between.reply_bytes() - before == bytes);
  CHECK(on.connect().run("PING").text() == "PONG");
}

TEST_CASE("garbage comes instead of the next reply", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect();
  client.run("PING");
  on.between.replace_next_reply("+WRONG\r\n");
  CHECK(client.run("PING").text() == "WRONG");
  CHECK(client.run("PING").text() == "PONG");
  on.between.replace_next_reply("?!\r\n");
  CHECK_THROWS_AS(client.run("PING"), std::runtime_error);
}

TEST_CASE("a fault concerns only connections that sent a certain request", "[proxy]") {
  behind_a_proxy on;
  redis_client reader = on.connect(), writer = on.connect();
  CHECK(reader.run("XREAD", "STREAMS", "s", "0").is_nil());
  writer.run("XADD", "s", "*", "n", 1);
  on.between.only_where("XREAD");
  on.between.replace_next_reply("+WRONG\r\n");
  writer.run("XADD", "s", "*", "n", 2);
  CHECK(reader.run("XLEN", "s").text() == "WRONG");
  on.between.cut();
  CHECK_THROWS_AS(reader.run("PING"), std::runtime_error);
  CHECK(writer.run("XLEN", "s").integer() == 2);
}

TEST_CASE("a delayed connection answers late and in order", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect();
  client.run("PING");
  on.between.delay(20ms);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) client.send({"ECHO", std::to_string(i)});
  for (int i = 0; i < 10; ++i) CHECK(client.read().text() == std::to_string(i));
  CHECK(std::chrono::steady_clock::now() - began >= 40ms);
  on.between.delay(0ms);
  CHECK(client.run("PING").text() == "PONG");
}

TEST_CASE("a proxy that refuses connections lets those live that are open", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect();
  client.run("PING");
  on.between.refuse_connections();
  CHECK_THROWS_AS(on.connect(), std::runtime_error);
  CHECK(client.run("PING").text() == "PONG");
  on.between.accept_connections();
  CHECK(on.connect().run("PING").text() == "PONG");
}

TEST_CASE("a proxy before a server that is down resets its clients, until the server is back", "[proxy]") {
  behind_a_proxy on;
  on.server.kill();
  CHECK_THROWS_AS(on.connect().run("PING"), std::runtime_error);
  on.server.start();
  CHECK(on.connect().run("PING").text() == "PONG");
}

TEST_CASE("a proxy holds up a sender whose receiver does not read", "[proxy]") {
  behind_a_proxy on;
  redis_client client = on.connect(), beside(on.server);
  beside.run("SET", "key", std::string(1'000'000, 'x'));
  for (int i = 0; i < 30; ++i) client.send({"GET", "key"});
  for (int i = 0; i < 30; ++i) CHECK(client.read().text().size() == 1'000'000);
}

TEST_CASE("many connections pass at once", "[proxy]") {
  behind_a_proxy on;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&on, i] {
      redis_client client = on.connect();
      for (int j = 0; j < 200; ++j) client.run("INCR", "counter" + std::to_string(i % 2));
    });
  }
  for (auto& each : threads) each.join();
  CHECK(redis_client(on.server).run("GET", "counter0").text() == "800");
  CHECK(on.between.connections() == 8);
}
