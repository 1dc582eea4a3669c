// A history small enough to write down, for the tests of the checker.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>

#include "tests/contract/history_checker.hpp"

namespace actorbus::contract {

inline std::uint64_t value_of(std::uint32_t publisher, std::uint64_t counter) { return publisher * 1000 + counter; }

/// What a subscriber receives in these tests: an event with its right value.
struct took {
  std::uint32_t publisher;
  std::uint64_t counter, sequence;
};

/// Two publishers on "t", three events each; the right sequence is 1:1 2:1 1:2 2:2 1:3 2:3.
class small_history : public history {
 public:
  small_history() {
    for (const std::uint32_t id : {1u, 2u}) publishes(id, "t", 3);
  }

  void publishes(std::uint32_t id, const std::string& topic, std::uint64_t count) {
    publisher_record& record = publisher(id, topic);
    for (std::uint64_t counter = 1; counter <= count; ++counter) record.accepted(counter, value_of(id, counter));
  }

  subscriber_record& receives(const std::string& name, std::initializer_list<took> events) {
    subscriber_record& record = subscriber(name, "t");
    add(record, events);
    return record;
  }

  static void add(subscriber_record& record, std::initializer_list<took> events) {
    for (const auto& [id, counter, sequence] : events) record.received(id, counter, value_of(id, counter), sequence);
  }

  void receives_all(const std::string& name) {
    receives(name, {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  }
};

inline std::set<finding_kind> kinds(const history& what, const expectations& promised = {}) {
  std::set<finding_kind> result;
  for (const finding& one : check(what, promised)) result.insert(one.kind);
  return result;
}

}  // namespace actorbus::contract
