// A stream `t:work` and its consumers, for tests of groups.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

namespace actorbus::testing {

/// What handlers were called with, in order.
class work_done {
 public:
  struct call {
    std::string value;
    std::uint64_t deliveries;  ///< as the header says; 1 without
  };

  void add(const event<std::string>& e) {
    std::lock_guard lock(mutex_);
    calls_.push_back({*e, std::stoull(std::string(e.headers().get("redis.deliveries", "1")))});
  }
  auto handler() {
    return [this](const event<std::string>& e) { add(e); };
  }

  std::vector<call> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  std::vector<std::string> values() const {
    std::vector<std::string> result;
    for (const auto& each : calls()) result.push_back(each.value);
    return result;
  }
  std::size_t count() const {
    std::lock_guard lock(mutex_);
    return calls_.size();
  }
  std::size_t count(const std::string& value) const {
    const auto all = values();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), value));
  }
  /// The deliveries with which one value came.
  std::vector<std::uint64_t> deliveries(const std::string& value) const {
    std::vector<std::uint64_t> result;
    for (const auto& each : calls()) {
      if (each.value == value) result.push_back(each.deliveries);
    }
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<call> calls_;
};

inline void add_work(redis_client& client, const std::vector<std::string>& values) {
  for (const auto& each : values) client.run("XADD", "t:work", "*", "data", each);
}

/// Entries that the group has delivered, and nobody has acknowledged; -1: there is no such group.
inline std::int64_t pending(redis_client& client, const std::string& group = "g", const std::string& key = "t:work") {
  try {
    return client.run("XPENDING", key, group)[0].integer();
  } catch (const redis_error&) {
    return -1;
  }
}

/// Of XINFO CONSUMERS.
inline std::set<std::string> consumers(redis_client& client, const std::string& group = "g") {
  std::set<std::string> names;
  const auto found = client.run("XINFO", "CONSUMERS", "t:work", group);
  for (const auto& each : found.list()) names.insert(each[1].text());
  return names;
}

/// The fields of a stream's entries.
inline std::vector<std::map<std::string, std::string>> entries(redis_client& client, const std::string& key) {
  std::vector<std::map<std::string, std::string>> result;
  const auto found = client.run("XRANGE", key, "-", "+");
  for (const auto& each : found.list()) {
    auto& fields = result.emplace_back();
    const auto words = each[1].texts();
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields[words[i]] = words[i + 1];
  }
  return result;
}

}  // namespace actorbus::testing
