#include <bridges/redis/saved_cursor.hpp>

#include "tests/catch.hpp"

using namespace actorbus::redis;

TEST_CASE("a saved cursor is behind an entry, or behind an event within one", "[saved_cursor]") {
  const auto behind = saved_cursor::parse("7-1");
  REQUIRE(behind);
  CHECK(behind->behind == stream_id{7, 1});
  CHECK_FALSE(behind->within);
  CHECK_FALSE(behind->count);
  const auto within = saved_cursor::parse("7-1:0");
  REQUIRE(within);
  CHECK(within->behind == stream_id{7, 0});
  CHECK(within->within == stream_offset{{7, 1}, 1});
}

TEST_CASE("a saved cursor may tell how many entries were added, and is one without it", "[saved_cursor]") {
  CHECK(saved_cursor::parse("7-1 12")->count == 12);
  CHECK(saved_cursor::parse("7-1:3 0")->count == 0);
  for (const char* text : {"7-1 ", "7-1 x", "7-1 -1", "7-1 1 2", "7-1 18446744073709551616"}) {
    CAPTURE(text);
    const auto cursor = saved_cursor::parse(text);
    REQUIRE(cursor);
    CHECK(cursor->behind == stream_id{7, 1});
    CHECK_FALSE(cursor->count);
  }
}

TEST_CASE("anything else is no cursor", "[saved_cursor]") {
  for (const char* text : {"", " ", "x", "7-1:", "7-1:x 3", " 7-1", "7-1:1:2 3"}) {
    CAPTURE(text);
    CHECK_FALSE(saved_cursor::parse(text));
  }
  CHECK_FALSE(saved_cursor::parse(stream_offset::max().to_string()));
}
