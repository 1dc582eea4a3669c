#include "tests/redis/redis_server.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/server_logs.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

TEST_CASE("a server answers on its port and on its unix socket as soon as it is there", "[redis_server]") {
  const redis_server server;
  CHECK(redis_client("127.0.0.1", server.port()).run("PING").text() == "PONG");
  CHECK(redis_client(server.unix_socket()).run("PING").text() == "PONG");
  CHECK(server.uri() == "redis://127.0.0.1:" + std::to_string(server.port()));
}

TEST_CASE("servers beside each other share neither port nor data", "[redis_server]") {
  const redis_server one, other;
  CHECK(one.port() != other.port());
  redis_client(one).run("SET", "key", "value");
  CHECK(redis_client(other).run("GET", "key").is_nil());
}

TEST_CASE("a killed server is gone, and comes back on the same port without what it had in memory", "[redis_server]") {
  redis_server server;
  redis_client(server).run("SET", "key", "value");
  const auto port = server.port();
  server.kill();
  CHECK_FALSE(server.running());
  CHECK_THROWS_AS(redis_client("127.0.0.1", port), std::runtime_error);
  server.start();
  CHECK(server.port() == port);
  CHECK(redis_client("127.0.0.1", port).run("GET", "key").is_nil());
}

TEST_CASE("a killed server with an append-only file has all that it acknowledged", "[redis_server]") {
  redis_server server({.append_only = true});
  for (int i = 0; i < 100; ++i) redis_client(server).run("XADD", "stream", "*", "n", i);
  server.restart();
  CHECK(redis_client(server).run("XLEN", "stream").integer() == 100);
  server.stop();
  CHECK_FALSE(server.running());
  server.start();
  CHECK(redis_client(server).run("XLEN", "stream").integer() == 100);
}

TEST_CASE("a server may be killed and started by a thread that ends before it", "[redis_server]") {
  redis_server server;
  std::thread([&] { server.restart(); }).join();
  CHECK(redis_client(server).run("PING").text() == "PONG");
}

TEST_CASE("a server without DEBUG refuses it, one with it obeys", "[redis_server]") {
  CHECK_THROWS_AS(redis_client(redis_server()).run("DEBUG", "SLEEP", "0"), redis_error);
  CHECK(redis_client(redis_server({.debug_command = true})).run("DEBUG", "SLEEP", "0").text() == "OK");
}

TEST_CASE("a server with a password lets in who knows it", "[redis_server]") {
  const redis_server server({.password = "hidden"});
  CHECK_THROWS_WITH(redis_client("127.0.0.1", server.port()).run("GET", "key"), Catch::Matchers::Contains("NOAUTH"));
  CHECK(redis_client(server).run("GET", "key").is_nil());
  CHECK(server.uri() == "redis://:hidden@127.0.0.1:" + std::to_string(server.port()));
}

TEST_CASE("a server's users may do what their rules say", "[redis_server]") {
  const redis_server server({.users = {"ann on >secret ~* &* +@all -xadd"}});
  redis_client ann("127.0.0.1", server.port());
  ann.run("AUTH", "ann", "secret");
  CHECK(ann.run("SET", "key", "value").text() == "OK");
  CHECK_THROWS_WITH(ann.run("XADD", "stream", "*", "n", 1), Catch::Matchers::Contains("NOPERM"));
}

TEST_CASE("a replica has what its master has, and refuses writes", "[redis_server]") {
  const redis_server master;
  redis_client(master).run("SET", "key", "value");
  const redis_server replica({.replica_of = &master});
  redis_client at_replica(replica);
  CHECK(eventually([&] { return !at_replica.run("GET", "key").is_nil(); }));
  CHECK_THROWS_WITH(at_replica.run("SET", "key", "other"), Catch::Matchers::Contains("READONLY"));
}

TEST_CASE("a server that is loading its data says so, and then is ready", "[redis_server]") {
  // Looks at its clients every kilobyte, and takes its time for each key until it is told otherwise.
  redis_server server({.directives = {"rdbcompression no", "loading-process-events-interval-bytes 1024"}});
  redis_client filler(server);
  for (int i = 0; i < 100; ++i) filler.run("SET", "key" + std::to_string(i), std::string(1000, 'x'));
  filler.run("SAVE");
  server.kill();
  server.start({"key-load-delay 100000"}, server_is::listening);
  redis_client impatient(server);
  CHECK_THROWS_WITH(impatient.run("GET", "key1"), Catch::Matchers::Contains("LOADING"));
  impatient.run("CONFIG", "SET", "key-load-delay", 0);
  server.wait_until(server_is::ready);
  CHECK(impatient.run("GET", "key1").text().size() == 1000);
}

TEST_CASE("a suspended server answers nothing until it is resumed", "[redis_server]") {
  redis_server server;
  redis_client client(server);
  client.run("PING");
  server.suspend();
  client.send({"PING"});
  CHECK_FALSE(client.read_within(20ms));
  server.resume();
  CHECK(client.read().text() == "PONG");
}

TEST_CASE("a server with a directive that it does not know does not start, and says why", "[redis_server]") {
  CHECK_THROWS_WITH(redis_server({.directives = {"no-such-directive yes"}}),
                    Catch::Matchers::Contains("redis-server ended at once"));
}

TEST_CASE("a server's directory goes with it, its log is kept", "[redis_server]") {
  take_server_logs();
  std::string path, port;
  {
    const redis_server server;
    path = server.unix_socket();
    port = std::to_string(server.port());
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(std::filesystem::path(path).parent_path()));
  const auto logs = take_server_logs();
  REQUIRE(logs.size() == 1);
  CHECK_THAT(logs.front(), Catch::Matchers::Contains("redis-server on port " + port) &&
                               Catch::Matchers::Contains("Ready to accept connections"));
}

TEST_CASE("many servers started at once all come up", "[redis_server]") {
  std::vector<std::thread> threads;
  std::vector<int> ports(8);
  for (auto& port : ports) {
    threads.emplace_back([&port] {
      const redis_server server;
      port = redis_client(server).run("PING").text() == "PONG" ? server.port() : 0;
    });
  }
  for (auto& each : threads) each.join();
  CHECK(std::set<int>(ports.begin(), ports.end()).count(0) == 0);
}

TEST_CASE("starts a child and waits to be killed", "[.victim]") {
  const child_process child({find_program("sleep"), "600"});
  std::cout << child.pid() << std::endl;
  for (;;) pause();
}

TEST_CASE("a child dies with the process that started it, also when that is killed", "[child_process]") {
  child_process parent({"/proc/self/exe", "[.victim]", "-o", "/dev/null"}, child_io::pipes);
  char line[32] = {};
  REQUIRE(read(parent.output(), line, sizeof line - 1) > 0);
  const pid_t child = std::stoi(line);
  REQUIRE(kill(child, 0) == 0);
  parent.kill();
  CHECK(eventually([&] {  // whoever inherited it may not have reaped it yet
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string id, name, state;
    return !(status >> id >> name >> state) || state == "Z";
  }));
}

TEST_CASE("a child's end tells its status", "[child_process]") {
  child_process child({find_program("sh"), "-c", "exit 3"});
  const auto status = child.wait_for(20s);
  REQUIRE(status);
  CHECK(WEXITSTATUS(*status) == 3);
  CHECK(child.pid() == -1);
}
