// What one subscription was told, events and notices in their order, as lines that read well in a failing test.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include <bus/event.hpp>
#include <bus/notices.hpp>
#include <bus/overloaded.hpp>

#include "tests/eventually.hpp"

namespace actorbus::testing {

class story {
 public:
  using lines_type = std::vector<std::string>;

  void add(std::string line) {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }

  lines_type lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }
  std::size_t size() const { return lines().size(); }

  /// Waits until it has so many lines.
  bool reaches(std::size_t count) const {
    return eventually([&] { return size() >= count; });
  }

  /// A handler that tells of values: "7", "lagged 3: 4 to 6", "caught up at 6", "finished: closed".
  auto handler() {
    return overloaded{
        [this](const event<int>& e) { add(std::to_string(*e)); },
        [this](const lagged& l) {
          add("lagged " + std::to_string(l.count) + ": " + std::to_string(l.first) + " to " + std::to_string(l.last));
        },
        [this](const caught_up& c) { add("caught up at " + std::to_string(c.sequence)); },
        [this](const finished& f) { add("finished: " + std::string(to_string(f.reason))); }};
  }

  /// The same with the topic before each line: "a.b 7".
  auto handler_with_topics() {
    return overloaded{
        [this](const event<int>& e) { add(std::string(e.topic()) + ' ' + std::to_string(*e)); },
        [this](const lagged& l) {
          add(std::string(l.topic) + " lagged " + std::to_string(l.count) + ": " + std::to_string(l.first) + " to " +
              std::to_string(l.last));
        },
        [this](const caught_up& c) { add(std::string(c.topic) + " caught up at " + std::to_string(c.sequence)); },
        [this](const finished& f) { add(std::string(f.topic) + " finished: " + std::string(to_string(f.reason))); }};
  }

 private:
  mutable std::mutex mutex_;
  lines_type lines_;
};

}  // namespace actorbus::testing
