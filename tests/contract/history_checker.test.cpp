#include "tests/contract/history_checker.hpp"

#include <set>
#include <stdexcept>
#include <thread>

#include "tests/catch.hpp"
#include "tests/contract/small_history.hpp"

using namespace actorbus::contract;

namespace {

using set = std::set<finding_kind>;
constexpr auto lost = finding_kind::lost;
constexpr auto duplicated = finding_kind::duplicated;
constexpr auto reordered = finding_kind::reordered;
constexpr auto unexplained_gap = finding_kind::unexplained_gap;
constexpr auto total_order_differs = finding_kind::total_order_differs;
constexpr auto foreign = finding_kind::foreign;

}  // namespace

TEST_CASE("a correct history has no findings", "[history_checker]") {
  small_history all;
  all.receives_all("a");
  all.receives_all("b");
  CHECK(describe(check(all)).empty());
  CHECK(describe(check(all, {.allowed = losses::told})).empty());
  CHECK(describe(check(all, {.allowed = losses::untold})).empty());
}

TEST_CASE("a history of several topics with the same sequences has no findings", "[history_checker]") {
  small_history all;
  all.receives_all("a");
  all.publishes(3, "u", 2);
  subscriber_record& other = all.subscriber("a", "u");
  small_history::add(other, {{3, 1, 1}, {3, 2, 2}});
  CHECK(describe(check(all)).empty());
}

TEST_CASE("a lost event is found, at the start, in between and at the end", "[history_checker]") {
  small_history all;
  all.receives("start", {{2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  all.receives("middle", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {1, 3, 5}, {2, 3, 6}});
  all.receives("end", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}});
  all.receives("nothing", {});
  std::set<std::string> losers;
  for (const finding& one : check(all)) {
    if (one.kind == lost) losers.insert(one.subscriber);
  }
  CHECK(losers == std::set<std::string>{"start", "middle", "end", "nothing"});
}

TEST_CASE("an event that nobody received is found lost, though the sequences show no gap", "[history_checker]") {
  small_history all;
  all.receives("a", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {1, 3, 4}, {2, 3, 5}});
  const auto findings = check(all);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == lost);
  CHECK(describe(findings) == "lost: a on \"t\": 1 of publisher 2, counter 2\n");
}

TEST_CASE("a duplicate is found, with the same sequence and with another", "[history_checker]") {
  small_history same;
  same.receives("a", {{1, 1, 1}, {1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(same) == set{duplicated});

  small_history other;
  other.receives("a", {{1, 1, 1}, {2, 1, 2}, {1, 1, 3}, {1, 2, 4}, {2, 2, 5}, {1, 3, 6}, {2, 3, 7}});
  CHECK(kinds(other) == set{duplicated});
}

TEST_CASE("events of a publisher in the wrong order are found", "[history_checker]") {
  small_history all;
  all.receives("a", {{1, 2, 1}, {2, 1, 2}, {1, 1, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(all) == set{reordered});
  CHECK(kinds(all, {.ordered = false}) == set{});
  CHECK(kinds(all, {.sequenced = false}) == set{reordered});
}

TEST_CASE("two subscribers with another order of the same events are found", "[history_checker]") {
  small_history all;
  all.receives_all("a");
  all.receives("b", {{2, 1, 1}, {1, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(all) == set{total_order_differs});
}

TEST_CASE("a subscriber whose order is not the sequence is found", "[history_checker]") {
  small_history all;
  all.receives("a", {{2, 1, 2}, {1, 1, 1}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(all) == set{total_order_differs});
}

TEST_CASE("two events with one sequence are found, also when no subscriber received both", "[history_checker]") {
  small_history all;
  all.receives("a", {{1, 1, 1}}).expects({.allowed = losses::untold});
  all.receives("b", {{2, 1, 1}}).expects({.allowed = losses::untold});
  CHECK(kinds(all) == set{total_order_differs});
}

TEST_CASE("an event without a sequence is found", "[history_checker]") {
  small_history all;
  all.receives("a", {{1, 1, 0}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(all).count(total_order_differs) == 1);
  CHECK(kinds(all, {.sequenced = false}) == set{});
}

TEST_CASE("an event that was never published is found", "[history_checker]") {
  small_history counter;
  counter.receives("a", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}, {2, 4, 7}});
  CHECK(kinds(counter) == set{foreign});

  small_history publisher;
  publisher.receives("a", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}, {9, 1, 7}});
  CHECK(kinds(publisher) == set{foreign});
}

TEST_CASE("an event with another value than published is found", "[history_checker]") {
  small_history all;
  subscriber_record& a = all.receives("a", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}});
  a.received(2, 3, 7, 6);
  CHECK(kinds(all) == set{foreign});
}

TEST_CASE("an event of another topic is found", "[history_checker]") {
  small_history all;
  all.publishes(3, "u", 1);
  all.receives("a", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}, {3, 1, 7}});
  const auto findings = check(all);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == foreign);
  CHECK(findings[0].what.find("\"u\"") != std::string::npos);
}

TEST_CASE("the members of a group together receive each event once", "[history_checker]") {
  small_history all;
  all.receives("w1", {{1, 1, 1}, {1, 2, 3}, {2, 3, 6}}).joins("workers");
  subscriber_record& second = all.receives("w2", {{2, 1, 2}, {2, 2, 4}, {1, 3, 5}});
  second.joins("workers");
  CHECK(describe(check(all)).empty());

  small_history::add(second, {{2, 3, 6}});
  CHECK(kinds(all) == set{duplicated});
}

TEST_CASE("an event that no member of a group receives is lost", "[history_checker]") {
  small_history all;
  all.receives("w1", {{1, 1, 1}, {1, 2, 3}}).joins("workers");
  all.receives("w2", {{2, 1, 2}, {1, 3, 5}, {2, 3, 6}}).joins("workers");
  CHECK(kinds(all) == set{lost, unexplained_gap});
}

TEST_CASE("a flood of findings is cut short", "[history_checker]") {
  small_history all;
  subscriber_record& a = all.subscriber("a", "t");
  for (std::uint64_t counter = 1; counter <= 1000; ++counter) a.received(9, counter, 0, counter);
  const auto findings = check(all, {.allowed = losses::untold});
  CHECK(findings.size() == 10);
}

TEST_CASE("records that make no sense are refused", "[history_checker]") {
  small_history twice;
  twice.publisher(1, "u");
  CHECK_THROWS_AS(check(twice), std::logic_error);

  history backwards;
  publisher_record& record = backwards.publisher(1, "t");
  record.accepted(2, 0);
  record.accepted(1, 0);
  CHECK_THROWS_AS(check(backwards), std::logic_error);
}

TEST_CASE("threads record side by side", "[history_checker]") {
  history all;
  std::vector<std::thread> threads;
  for (std::uint32_t id = 1; id <= 8; ++id) {
    threads.emplace_back([&all, id] {
      const std::string topic = "t" + std::to_string(id);
      publisher_record& publisher = all.publisher(id, topic);
      subscriber_record& subscriber = all.subscriber("s", topic);
      for (std::uint64_t counter = 1; counter <= 1000; ++counter) {
        publisher.accepted(counter, counter);
        subscriber.received(id, counter, counter, counter);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(describe(check(all)).empty());
}
