#include <bus/event.hpp>

#include <optional>
#include <string>
#include <utility>

#include "tests/bus/core_fixture.hpp"
#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using testing::manual_bus;

namespace {

/// A chunk of one event, borrowed from a log.
struct one_event {
  explicit one_event(testing::census& census) {
    f.append({census, 5}, 1'000);
    f.log.publish();
    std::uint64_t position = 1;
    pinned = f.log.pin(position);
  }
  event<testing::counted> borrow() {
    return core::event_at<testing::counted>({pinned.holder(), pinned.holder()->at(1), 1});
  }
  /// Only copies hold it now.
  void let_go() {
    f.log.trim(2);
    f.log.give_back();
    pinned.release();
  }

  testing::core_fixture<testing::counted> f;
  core::stretch pinned;
};

}  // namespace

TEST_CASE("an event shows its value and what is known of it", "[event]") {
  manual_bus m;
  auto t = m.bus.topic<std::string>("letters");
  auto out = t.publisher({.origin = 77});
  std::optional<event<std::string>> seen;
  auto sub = t.subscribe([&](const event<std::string>& e) { seen.emplace(e); });
  m.run();
  out.publish("dear", {{"from", "ann"}});
  m.run();
  REQUIRE(seen);
  CHECK(**seen == "dear");
  CHECK((*seen)->size() == 4);
  CHECK(seen->topic() == "letters");
  CHECK(seen->sequence() == 1);
  CHECK(seen->headers().get("from") == "ann");
  CHECK(seen->origin() == 77);
  CHECK(seen->time() == m.engine->wall_now());
  const metadata about = seen->metadata();
  CHECK(about.topic == "letters");
  CHECK(about.sequence == 1);
  CHECK(about.origin == 77);
}

TEST_CASE("an event without headers shows empty ones", "[event]") {
  testing::census census;
  one_event from(census);
  CHECK(from.borrow().headers().empty());
  CHECK(from.borrow().origin() == 0);
}

TEST_CASE("a borrowed event pins nothing", "[event]") {
  testing::census census;
  one_event from(census);
  { const auto borrowed = from.borrow(); }
  from.let_go();
  CHECK(census.living() == 0);
}

TEST_CASE("a copy keeps the payload, and the last copy ends it", "[event]") {
  testing::census census;
  one_event from(census);
  {
    const event<testing::counted> kept = [&] {
      const auto borrowed = from.borrow();
      return event<testing::counted>(borrowed);
    }();
    from.let_go();
    CHECK(census.living() == 1);
    {
      const event<testing::counted> further = kept;  // NOLINT: the copy is the test
      CHECK(further->value() == 5);
    }
    CHECK(kept->value() == 5);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("moving from a borrowed event keeps the payload too", "[event]") {
  testing::census census;
  one_event from(census);
  auto borrowed = from.borrow();
  {
    const event<testing::counted> moved = std::move(borrowed);
    from.let_go();
    CHECK(census.living() == 1);
    CHECK(moved->value() == 5);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("assigning lets the former event go", "[event]") {
  testing::census first_census, second_census;
  one_event first(first_census), second(second_census);
  event<testing::counted> kept = event<testing::counted>(first.borrow());
  const auto borrowed = second.borrow();
  kept = borrowed;
  first.let_go();
  second.let_go();
  CHECK(first_census.living() == 0);
  CHECK(second_census.living() == 1);
  CHECK(kept->value() == 5);
}

TEST_CASE("a kept event outlives the bus", "[event]") {
  std::optional<event<std::string>> kept;
  {
    manual_bus m;
    auto t = m.bus.topic<std::string>("letters");
    auto sub = t.subscribe([&](const event<std::string>& e) { kept.emplace(e); });
    m.run();
    t.publish("kept for long");
    m.run();
  }
  REQUIRE(kept);
  CHECK(**kept == "kept for long");
  CHECK(kept->topic() == "letters");
}
