// The checker's judgement of losses: told or not, and what a subscriber owes that came late or left early.
#include <set>

#include "tests/catch.hpp"
#include "tests/contract/small_history.hpp"

using namespace actorbus::contract;

namespace {

using set = std::set<finding_kind>;
constexpr auto lost = finding_kind::lost;
constexpr auto unexplained_gap = finding_kind::unexplained_gap;
constexpr auto foreign = finding_kind::foreign;

}  // namespace

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
