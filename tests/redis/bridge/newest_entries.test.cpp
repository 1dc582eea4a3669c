// How many of a stream's newest entries hold so many events, with no server.
#include <bridges/redis/newest_entries.hpp>

#include "tests/catch.hpp"

using actorbus::redis::newest_entries;

TEST_CASE("entries that are not known count as one event each", "[newest_entries]") {
  newest_entries of;
  CHECK(of.add(4, 10) == 1 + 6);
  CHECK(of.add(4, 10) == 2 + 2);
  CHECK(of.add(4, 10) == 3);
}

TEST_CASE("a large entry behind small ones keeps as many of them as are still wanted", "[newest_entries]") {
  newest_entries of;
  for (int i = 0; i < 9; ++i) CHECK(of.add(1, 10) == 10);
  CHECK(of.add(4, 10) == 1 + 6);
  CHECK(of.add(256, 10) == 1);
}

TEST_CASE("small entries behind large ones push them out once they are not wanted", "[newest_entries]") {
  newest_entries of;
  for (int i = 0; i < 5; ++i) of.add(4, 10);
  CHECK(of.add(1, 10) == 4);
  CHECK(of.add(1, 10) == 4);
  for (int i = 0; i < 6; ++i) CHECK(of.add(1, 10) <= 9);
  CHECK(of.add(1, 10) == 10);
  CHECK(of.add(1, 10) == 10);
  CHECK(of.add(1, 10) == 10);
}

TEST_CASE("what it remembers is bounded, and what it has forgotten counts as one event each", "[newest_entries]") {
  newest_entries of;
  std::uint64_t entries = 0;
  for (std::size_t i = 0; i < 2 * newest_entries::most_runs; ++i) entries = of.add(1 + i % 2, 1'000'000);
  constexpr auto known = newest_entries::most_runs;
  CHECK(entries == known + 1'000'000 - known * 3 / 2);
}

TEST_CASE("what may not be in the stream is not counted any more", "[newest_entries]") {
  newest_entries of;
  of.add(256, 10);
  of.forget();
  CHECK(of.add(2, 10) == 1 + 8);
}
