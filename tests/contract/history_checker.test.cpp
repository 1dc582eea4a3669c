#include "tests/contract/history_checker.hpp"

#include <initializer_list>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/catch.hpp"

using namespace actorbus::contract;

namespace {

std::uint64_t value_of(std::uint32_t publisher, std::uint64_t counter) { return publisher * 1000 + counter; }

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

std::set<finding_kind> kinds(const history& what, const expectations& promised = {}) {
  std::set<finding_kind> result;
  for (const finding& one : check(what, promised)) result.insert(one.kind);
  return result;
}

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

TEST_CASE("a loss told exactly and in its place is allowed where losses are", "[history_checker]") {
  small_history all;
  subscriber_record& slow = all.receives("slow", {{1, 1, 1}, {2, 1, 2}});
  slow.lagged(2, 3, 4);
  small_history::add(slow, {{1, 3, 5}, {2, 3, 6}});
  CHECK(describe(check(all, {.allowed = losses::told})).empty());
  CHECK(kinds(all) == set{lost});

  all.receives_all("fast");  // now the sequences of the lost ones are known
  slow.expects({.allowed = losses::told});
  CHECK(describe(check(all)).empty());
}

TEST_CASE("a loss at the start told before the first event is allowed", "[history_checker]") {
  small_history all;
  subscriber_record& slow = all.subscriber("slow", "t");
  slow.lagged(3, 1, 3);
  slow.lagged(1, 4, 4);
  small_history::add(slow, {{1, 3, 5}, {2, 3, 6}});
  CHECK(describe(check(all, {.allowed = losses::told})).empty());
}

TEST_CASE("a jump without a notice is an unexplained gap", "[history_checker]") {
  small_history all;
  all.receives_all("fast");
  all.receives("slow", {{1, 1, 1}, {2, 1, 2}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(all, {.allowed = losses::told}) == set{unexplained_gap, lost});
  CHECK(kinds(all, {.allowed = losses::untold}) == set{});
}

TEST_CASE("a notice that is not exactly the jump is an unexplained gap", "[history_checker]") {
  struct told {
    std::uint64_t count, first, last;
  };
  const auto [count, first, last] =
      GENERATE(told{2, 3, 5}, told{3, 3, 4}, told{1, 3, 3}, told{1, 4, 4}, told{3, 3, 5}, told{3, 2, 4}, told{2, 4, 3});
  small_history all;
  subscriber_record& slow = all.receives("slow", {{1, 1, 1}, {2, 1, 2}});
  slow.lagged(count, first, last);
  small_history::add(slow, {{1, 3, 5}, {2, 3, 6}});
  INFO(count << " events, " << first << " to " << last);
  CHECK(kinds(all, {.allowed = losses::told}).count(unexplained_gap) == 1);
}

TEST_CASE("a notice out of its place is an unexplained gap", "[history_checker]") {
  small_history all;
  subscriber_record& slow = all.receives("slow", {{1, 1, 1}, {2, 1, 2}, {1, 3, 5}});
  slow.lagged(2, 3, 4);
  small_history::add(slow, {{2, 3, 6}});
  CHECK(kinds(all, {.allowed = losses::told}) == set{unexplained_gap});
}

TEST_CASE("a notice of events that came all the same is an unexplained gap", "[history_checker]") {
  small_history all;
  all.receives_all("a");
  subscriber_record& b = all.receives("b", {{1, 1, 1}, {2, 1, 2}});
  b.lagged(2, 3, 4);
  small_history::add(b, {{1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}});
  CHECK(kinds(all, {.allowed = losses::told}).count(unexplained_gap) == 1);
}

TEST_CASE("fewer losses told than events missing are found", "[history_checker]") {
  small_history all;
  subscriber_record& slow = all.receives("slow", {{1, 1, 1}, {2, 1, 2}});
  slow.lagged(1, 3, 3);
  small_history::add(slow, {{1, 3, 4}, {2, 3, 5}});  // two are missing, and the sequences hide one of them
  CHECK(kinds(all, {.allowed = losses::told}) == set{lost});
}

TEST_CASE("a subscriber that begins later owes nothing before its start", "[history_checker]") {
  small_history all;
  all.receives_all("early");
  all.receives("after", {{2, 2, 4}, {1, 3, 5}, {2, 3, 6}}).expects({.after = 3});
  all.receives("live", {{1, 3, 5}, {2, 3, 6}}).expects({.after = std::nullopt});
  all.receives("too late", {}).expects({.after = std::nullopt});
  CHECK(describe(check(all)).empty());
}

TEST_CASE("a subscriber that begins later owes everything from its start on", "[history_checker]") {
  small_history alone;
  alone.receives("after", {{2, 2, 4}, {1, 3, 5}}).expects({.after = 3});  // no one else knows what is missing
  CHECK(kinds(alone) == set{lost});

  small_history jump;
  jump.receives("live", {{1, 2, 3}, {1, 3, 5}, {2, 3, 6}}).expects({.after = std::nullopt});
  CHECK(kinds(jump) == set{unexplained_gap});  // nobody tells whose event it was

  small_history both;
  both.receives_all("early");
  both.receives("live", {{1, 2, 3}, {1, 3, 5}, {2, 3, 6}}).expects({.after = std::nullopt});
  CHECK(kinds(both) == set{lost, unexplained_gap});

  small_history none;
  none.receives("after", {}).expects({.after = 3});
  CHECK(kinds(none) == set{lost});
}

TEST_CASE("an event from before the start is found", "[history_checker]") {
  small_history all;
  all.receives("after", {{1, 2, 3}, {2, 2, 4}, {1, 3, 5}, {2, 3, 6}}).expects({.after = 3});
  CHECK(kinds(all) == set{foreign});
}

TEST_CASE("a subscriber that stops owes everything up to its last event", "[history_checker]") {
  small_history all;
  all.receives_all("a");
  all.receives("cancelled", {{1, 1, 1}, {2, 1, 2}, {1, 2, 3}}).expects({.to_the_end = false});
  all.receives("at once", {}).expects({.to_the_end = false});
  CHECK(describe(check(all)).empty());

  all.receives("with a hole", {{1, 1, 1}, {1, 2, 3}}).expects({.to_the_end = false});
  CHECK(kinds(all) == set{lost, unexplained_gap});
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
