// Faults of every kind, one after the other and upon each other, chosen by a seed.
//
// Threads: the test's. Ownership: the server and the proxies are its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

/// Which faults may be chosen.
enum class faults_of {
  everything,  ///< that keeps what the server has acknowledged
  receivers,   ///< those that senders do not notice, or at the same time as receivers
  entries,     ///< those that take entries away
};

class fault_mix {
 public:
  fault_mix(faults_of which, std::uint64_t seed);

  /// Where senders and receivers connect.
  std::string out_uri() const { return which_ == faults_of::everything ? out_.uri() : server_.uri(); }
  std::string in_uri() const { return in_.uri(); }

  /// One to three faults begin, `meanwhile` is called, they end in some order.
  void round(const std::function<void()>& meanwhile);

  /// What it did, a line each round.
  const std::string& story() const { return story_; }

 private:
  struct fault {
    std::string name;
    std::function<void()> begin;
    std::function<void()> end;
  };

  void add(
      std::string name, std::function<void()> begin, std::function<void()> end = [] {});
  /// For as long as it lasts, the server is set so.
  void add_setting(const std::string& name, const std::string& value, const std::string& usual);
  void add_server_faults();
  void add_refusals();
  void begin_script();
  void lock_out();
  void let_in();
  void load();
  void add_odd_entries();
  void add_proxy_faults(const std::string& name, proxy& at);
  void add_losses();
  /// Unless the server is down, suspended, or refuses it.
  void run(const std::vector<std::string>& command);
  std::uint64_t any(std::uint64_t below) { return chance_() % below; }

  const faults_of which_;
  std::mt19937_64 chance_;
  redis_server server_;
  proxy out_{server_}, in_{server_};
  std::vector<fault> all_;
  bool suspended_ = false;
  std::unique_ptr<redis_client> script_;  ///< that keeps the server busy
  std::string story_;
};

}  // namespace actorbus::testing
