// What a subscriber is told, events and notices, one line each.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <bus/event.hpp>
#include <bus/notices.hpp>
#include <bus/overloaded.hpp>

namespace actorbus::testing {

using lines = std::vector<std::string>;

inline lines numbers(int from, int to) {
  lines result;
  for (int i = from; i <= to; ++i) result.push_back(std::to_string(i));
  return result;
}

struct diary {
  auto handler() {
    return overloaded{[this](const event<std::string>& e) { add(*e); },
                      [this](const gap& g) { add("gap: " + g.reason); }, [this](const trimmed&) { add("trimmed"); },
                      [this](const epoch_reset& r) { add("reset: " + r.reason); },
                      [this](const caught_up&) { add("caught up"); }};
  }
  void add(std::string line) {
    std::lock_guard lock(mutex);
    all.push_back(std::move(line));
  }
  lines get() const {
    std::lock_guard lock(mutex);
    return all;
  }
  /// The events, without what is told of replays.
  lines events() const {
    auto now = get();
    std::erase(now, "caught up");
    return now;
  }
  bool has(const std::string& line) const {
    const auto now = get();
    return std::find(now.begin(), now.end(), line) != now.end();
  }
  bool ends_with(const std::string& line) const {
    std::lock_guard lock(mutex);
    return !all.empty() && all.back() == line;
  }
  mutable std::mutex mutex;
  lines all;
};

}  // namespace actorbus::testing
