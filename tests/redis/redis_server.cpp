#include "tests/redis/redis_server.hpp"

#include <signal.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "tests/redis/client.hpp"
#include "tests/redis/server_logs.hpp"

namespace actorbus::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;
constexpr auto between_looks = 2ms;

}  // namespace

redis_server::redis_server(redis_server_options options) : options_(std::move(options)) { start(); }

redis_server::~redis_server() {
  kill();
  keep_server_log("redis-server on port " + std::to_string(port()), log());
}

std::string redis_server::uri() const {
  const std::string secret = options_.password.empty() ? "" : ":" + options_.password + "@";
  return "redis://" + secret + "127.0.0.1:" + std::to_string(port());
}

void redis_server::write_configuration(const std::vector<std::string>& more) const {
  std::ofstream to(directory_.path() / "redis.conf");
  to << "bind 127.0.0.1\nport " << port() << "\nunixsocket \"" << unix_socket() << "\"\ndir \""
     << directory_.path().string() << "\"\nlogfile redis.log\ndaemonize no\nsave \"\"\n"
     << "repl-diskless-sync-delay 0\nappendonly " << (options_.append_only ? "yes" : "no")
     << "\nappendfsync always\nauto-aof-rewrite-percentage 0\n";
  if (options_.debug_command) to << "enable-debug-command local\n";
  if (!options_.password.empty()) to << "requirepass \"" << options_.password << "\"\n";
  for (const auto& each : options_.users) to << "user " << each << '\n';
  if (options_.replica_of != nullptr) to << "replicaof 127.0.0.1 " << options_.replica_of->port() << '\n';
  for (const auto* lines : {&options_.directives, &more}) {
    for (const auto& each : *lines) to << each << '\n';
  }
  if (!to.flush()) throw std::runtime_error("redis.conf could not be written");
}

void redis_server::start(server_is until) { start({}, until); }

void redis_server::start(const std::vector<std::string>& directives, server_is until) {
  if (running()) throw std::logic_error("redis-server runs already");
  const std::string program = find_program("redis-server");
  if (program.empty()) throw std::runtime_error("there is no redis-server in PATH: install the package redis-server");
  write_configuration(directives);
  child_ = child_process({program, (directory_.path() / "redis.conf").string()});
  wait_until(until);
}

void redis_server::wait_until(server_is state) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!is(state)) {
    if (child_.wait_for(between_looks)) throw std::runtime_error("redis-server ended at once:\n" + log());
    if (std::chrono::steady_clock::now() > deadline) {
      kill();
      throw std::runtime_error("redis-server did not answer in time:\n" + log());
    }
  }
}

void redis_server::restart(server_is until) {
  kill();
  start(until);
}

void redis_server::stop() {
  child_.signal(SIGTERM);
  if (!child_.wait_for(patience)) kill();
}

/// By the unix socket, which is nobody else's; the server opens it after its port.
bool redis_server::is(server_is state) const {
  try {
    redis_client(*this).run("PING");
    return true;
  } catch (const redis_error& refused) {
    const std::string text = refused.what();
    return state == server_is::listening || text.rfind("LOADING", 0) != 0;
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string redis_server::log() const {
  std::ifstream from(directory_.path() / "redis.log", std::ios::binary);
  return {std::istreambuf_iterator<char>(from), {}};
}

}  // namespace actorbus::testing
