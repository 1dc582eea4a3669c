// Where the last events of a stream begin, told by hand what its entries hold.
#include <bridges/redis/last_events.hpp>

#include "tests/catch.hpp"

using actorbus::redis::last_events;
using actorbus::redis::stream_id;
using actorbus::redis::stream_offset;

TEST_CASE("the last events begin at the entry that completes them, or within it", "[last_events]") {
  last_events three(3, 100);
  CHECK(three.newest() == stream_id::max().to_string());
  CHECK(last_events(3, 100, {9, 5}).newest() == "9-5");
  CHECK(three.take({9, 0}, 1));
  CHECK_FALSE(three.take({7, 0}, 2));
  CHECK(three.first() == stream_offset{{7, 0}, 0});
  last_events within(3, 100);
  CHECK(within.take({9, 0}, 1));
  CHECK_FALSE(within.take({7, 0}, 10));
  CHECK(within.first() == stream_offset{{7, 0}, 8});
}

TEST_CASE("entries without an event that is wanted do not count, and it does not begin there", "[last_events]") {
  last_events two(2, 1);
  CHECK_FALSE(last_events(2, 1).first());
  CHECK(two.take({9, 0}, 1));
  CHECK(two.take({8, 0}, 0));
  CHECK(two.newest() == "7-18446744073709551615");
  CHECK(two.first() == stream_offset{{9, 0}, 0});
}

TEST_CASE("pages are no larger than what is wanted, and of large entries small at first", "[last_events]") {
  CHECK(last_events(3, 1).page() == 3);
  CHECK(last_events(~std::uint64_t{0}, 1).page() == 512);
  last_events packed(1'000, 65'536);
  CHECK(packed.page() == 16);
  packed.turn_page();
  CHECK(packed.page() == 32);
  for (int i = 0; i < 10; ++i) packed.turn_page();
  CHECK(packed.page() == 512);
}

TEST_CASE("before the smallest id there is nothing to ask for", "[last_events]") {
  last_events all(100, 1);
  CHECK_FALSE(all.take(stream_id::min(), 1));
  CHECK_FALSE(last_events(0, 1).wants_more());
}
