// A client nobody here wrote: redis-py, in a Python process of its own, told what to do by a test.
//
// Threads: one at a time; calls wait for their answer. Ownership: the destructor ends the process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/redis/piped_child.hpp"

namespace actorbus::testing {

class redis_server;

/// redis-py raised an exception; what() is its type and text.
class python_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class python_peer {
 public:
  using json = nlohmann::ordered_json;
  using fields = std::vector<std::pair<std::string, std::string>>;  ///< in their order; a name once

  struct entry {
    std::string id;
    fields values;
    const std::string& operator[](const std::string& field) const;  ///< throws std::out_of_range
  };
  struct message {
    std::string pattern;  ///< empty: by its channel
    std::string channel, data;
    friend bool operator==(const message&, const message&) = default;
  };

  explicit python_peer(const redis_server& to);

  /// Any method of redis.Redis, by its Python name. Bytes in `arguments` and in the result are JSON as by `bytes`.
  json call(const std::string& method, json arguments = json::array(), json options = json::object());

  /// How many received it.
  std::int64_t publish(const std::string& channel, const std::string& data);
  /// All at once.
  void publish_all(const std::string& channel, const std::vector<std::string>& data);
  /// `options` as in Python: {"maxlen": 10}. Returns the id.
  std::string xadd(const std::string& stream, const fields& values, json options = json::object());
  /// Behind `after`; waits up to `block` for the first, forever if zero.
  std::vector<entry> xread(const std::string& stream, const std::string& after, std::size_t count,
                           std::chrono::milliseconds block = std::chrono::seconds{10});
  /// What no consumer of the group has seen.
  std::vector<entry> xreadgroup(const std::string& stream, const std::string& group, const std::string& consumer,
                                std::size_t count, std::chrono::milliseconds block = std::chrono::seconds{10});
  std::int64_t xack(const std::string& stream, const std::string& group, const std::string& id);

  /// In force on return.
  void subscribe(const std::vector<std::string>& channels, const std::vector<std::string>& patterns = {});
  /// The next `count`, fewer if no more come in time.
  std::vector<message> messages(std::size_t count, std::chrono::milliseconds within = std::chrono::seconds{20});

  /// Bytes as JSON can carry them, and back.
  static json bytes(const std::string& from);
  static std::string bytes_of(const json& from);

 private:
  json ask(const json& request);
  static std::vector<entry> entries_of(const json& reply);

  piped_child python_;
};

}  // namespace actorbus::testing
