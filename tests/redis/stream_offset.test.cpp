#include <bridges/redis/stream_offset.hpp>

#include "tests/catch.hpp"

using actorbus::redis::stream_id;
using actorbus::redis::stream_offset;

TEST_CASE("an offset is the id of an entry, and behind a colon the place in it, unless it is the first",
          "[stream_offset]") {
  CHECK(stream_offset{{7, 1}, 0}.to_string() == "7-1");
  CHECK(stream_offset{{7, 1}, 3}.to_string() == "7-1:3");
  CHECK(stream_offset::parse("7-1") == stream_offset{{7, 1}, 0});
  CHECK(stream_offset::parse("7-1:0") == stream_offset{{7, 1}, 0});
  CHECK(stream_offset::parse("7-1:3") == stream_offset{{7, 1}, 3});
  CHECK(stream_offset::parse(stream_offset::max().to_string()) == stream_offset::max());
}

TEST_CASE("anything else is no offset", "[stream_offset]") {
  for (const char* text : {"", ":", "7-1:", "7-1:x", "7-1:-1", "7-1:4294967296", "7-1:1:2", "x:1", "7-1 :1"}) {
    CAPTURE(text);
    CHECK_FALSE(stream_offset::parse(text));
  }
}

TEST_CASE("offsets are ordered by their entries, then by their places", "[stream_offset]") {
  CHECK(stream_offset{{7, 1}, 9} < stream_offset{{7, 2}, 0});
  CHECK(stream_offset{{7, 1}, 0} < stream_offset{{7, 1}, 1});
  CHECK(stream_offset{{8, 0}, 0} > stream_offset{{7, 9}, 9});
}
