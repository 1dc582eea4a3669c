#include "tests/contract/gaps.hpp"

#include <initializer_list>
#include <string>

#include "tests/catch.hpp"
#include "tests/contract/history_checker.hpp"

using namespace actorbus::contract;

namespace {

/// Publishers 1 and 2 on "t", five events each.
class two_publishers : public history {
 public:
  two_publishers() {
    for (const std::uint32_t id : {1u, 2u}) {
      publisher_record& record = publisher(id, "t");
      for (std::uint64_t counter = 1; counter <= 5; ++counter) record.accepted(counter, counter);
    }
  }
};

/// Events by "publisher.counter", "!" a gap, "?" a notice of a loss, a "+" behind an event says that it came again.
subscriber_record& receives(history& by, const std::string& name, std::initializer_list<const char*> story) {
  subscriber_record& record = by.subscriber(name, "t");
  for (const std::string one : story) {
    if (one == "!") {
      record.gap();
    } else if (one == "?") {
      record.lagged(1, 1, 1);
    } else {
      const auto counter = static_cast<std::uint64_t>(one[2] - '0');
      record.received(static_cast<std::uint32_t>(one[0] - '0'), counter, counter, 0, one.back() == '+');
    }
  }
  return record;
}

std::string found(const history& in, expectations promised = {.allowed = losses::in_gaps}) {
  promised.sequenced = false;
  return describe(check(in, promised));
}

}  // namespace

TEST_CASE("all events, with gaps or without, are no loss", "[gaps]") {
  two_publishers all;
  receives(all, "a", {"1.1", "2.1", "1.2", "1.3", "2.2", "2.3", "2.4", "1.4", "1.5", "2.5"});
  receives(all, "b", {"!", "1.1", "2.1", "1.2", "1.3", "!", "2.2", "2.3", "2.4", "1.4", "1.5", "2.5", "!"});
  CHECK(found(all).empty());
}

TEST_CASE("a loss inside a gap is explained, for every publisher whose events are around it", "[gaps]") {
  two_publishers all;
  receives(all, "a", {"1.1", "2.1", "1.2", "!", "1.5", "2.4", "2.5"});
  receives(all, "start", {"!", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"});
  receives(all, "end", {"1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "!"});
  receives(all, "nothing but a gap", {"!"});
  CHECK(found(all).empty());
}

TEST_CASE("a loss without a gap is found", "[gaps]") {
  two_publishers all;
  receives(all, "a", {"1.1", "1.2", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(all) == "lost: a on \"t\": 2 of publisher 1, counter 3..4, and no gap there\n");
}

TEST_CASE("what comes later, out of order, is no loss where no order is promised, what does not is", "[gaps]") {
  two_publishers all;
  receives(all, "a", {"1.1", "1.4", "1.5", "1.2", "2.1", "1.3", "2.2", "2.3", "2.4", "2.5"});
  receives(all, "b", {"1.1", "1.4", "1.5", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(all, {.allowed = losses::in_gaps, .ordered = false}) ==
        "lost: b on \"t\": 1 of publisher 1, counter 3..3, and no gap there\n");
}

TEST_CASE("a loss may be told behind where no order is promised, not in front", "[gaps]") {
  const expectations unordered{.allowed = losses::in_gaps, .ordered = false};
  two_publishers behind;  // 1.3 was sent again behind 1.5, and then lost
  receives(behind, "a", {"1.1", "1.2", "1.4", "1.5", "!", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(behind, unordered).empty());
  CHECK(found(behind).find("counter 3..3") != std::string::npos);

  two_publishers before;
  receives(before, "a", {"1.1", "!", "1.2", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(before, unordered).find("counter 3..3") != std::string::npos);
}

TEST_CASE("a loss before or behind the gap is found", "[gaps]") {
  two_publishers before;
  receives(before, "a", {"1.1", "2.1", "1.3", "!", "1.4", "1.5", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(before).find("counter 2..2") != std::string::npos);

  two_publishers behind;
  receives(behind, "a", {"1.1", "2.1", "1.2", "!", "1.3", "1.5", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(behind).find("counter 4..4") != std::string::npos);
}

TEST_CASE("a loss at the start or at the end without a gap there is found, unless it was not promised", "[gaps]") {
  two_publishers start;
  receives(start, "a", {"1.2", "1.3", "!", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(start).find("counter 1..1") != std::string::npos);
  CHECK(found(start, {.allowed = losses::in_gaps, .after = std::nullopt}).empty());

  two_publishers end;
  receives(end, "a", {"1.1", "1.2", "1.3", "!", "1.4", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(end).find("counter 5..5") != std::string::npos);
  CHECK(found(end, {.allowed = losses::in_gaps, .to_the_end = false}).empty());

  two_publishers nothing;
  receives(nothing, "a", {});
  CHECK(found(nothing).find("5 of publisher 2, counter 1..5") != std::string::npos);
}

TEST_CASE("a notice of a loss explains it as a gap does", "[gaps]") {
  two_publishers all;
  receives(all, "a", {"1.1", "2.1", "1.2", "?", "1.5", "2.4", "2.5"});
  CHECK(found(all).empty());
}

TEST_CASE("gaps excuse neither doubles nor another order", "[gaps]") {
  two_publishers twice;
  receives(twice, "a", {"1.1", "1.2", "1.3", "1.4", "1.5", "!", "1.4", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(twice).rfind("duplicated", 0) == 0);

  two_publishers turned;
  receives(turned, "a", {"1.1", "1.2", "1.4", "!", "1.3", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(turned).find("reordered") != std::string::npos);
}

TEST_CASE("where doubles are marked, one that says so is allowed, one that does not is found", "[gaps]") {
  const expectations at_least_once{.ordered = false, .doubled = doubles::marked};
  two_publishers marked;
  receives(marked, "a", {"1.1", "1.2", "1.2+", "1.3", "1.4", "1.5", "2.1+", "2.2", "2.3", "2.4", "2.5", "1.1+"});
  CHECK(found(marked, at_least_once).empty());
  CHECK(found(marked, {.ordered = false}).find("duplicated") != std::string::npos);

  two_publishers unmarked;
  receives(unmarked, "a", {"1.1", "1.2+", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"});
  CHECK(found(unmarked, at_least_once).rfind("duplicated", 0) == 0);

  two_publishers lost;
  receives(lost, "a", {"1.1", "1.2", "1.2+", "1.3", "1.4", "1.5", "2.1", "2.3", "2.4", "2.5"});
  CHECK(found(lost, at_least_once).rfind("lost", 0) == 0);
}

TEST_CASE("a double that says so may come to another member of the group", "[gaps]") {
  const expectations at_least_once{.ordered = false, .doubled = doubles::marked};
  two_publishers all;
  receives(all, "m1", {"1.1", "1.2", "1.3", "1.4", "1.5"}).joins("g");
  receives(all, "m2", {"2.1", "2.2", "1.3+", "2.3", "2.4", "2.5"}).joins("g");
  CHECK(found(all, at_least_once).empty());
}
