// The stream cursor, told by hand what the server knows.
#include <bridges/redis/stream_cursor.hpp>

#include "tests/catch.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace std::chrono_literals;

namespace {

using kind = stream_cursor::finding::kind;

stream_facts facts(std::uint64_t first, std::uint64_t last, std::uint64_t added) {
  stream_facts f{.exists = true, .length = last - first + 1, .last_generated = {last, 0}, .added = added};
  if (first > last) return f;
  f.first = stream_id{first, 0};
  f.last = stream_id{last, 0};
  return f;
}

/// Entries with ids from one to the other, of which some are gone by now.
stream_read entries(std::uint64_t first, std::uint64_t last, std::uint64_t gone = 0) {
  return {{first, 0}, {last, 0}, last - first + 1, gone};
}

stream_cursor at(std::uint64_t position, const stream_facts& now) {
  stream_cursor c;
  c.begin({position, 0}, now, std::nullopt);
  return c;
}

}  // namespace

TEST_CASE("live begins behind the newest id ever given, once and for all", "[stream_cursor]") {
  CHECK(stream_cursor::start_of(replay::live(), facts(3, 9, 9)) == stream_id{9, 0});
  CHECK(stream_cursor::start_of(replay::live(), {}) == stream_id{});
}

TEST_CASE("all, since and last begin before the first entry they want", "[stream_cursor]") {
  const auto now = facts(3, 9, 9);
  CHECK(stream_cursor::start_of(replay::all(), now)->next() == stream_id{3, 0});
  CHECK(stream_cursor::start_of(replay::since(std::chrono::system_clock::time_point{5ms}), now)->next() ==
        stream_id{5, 0});
  CHECK(stream_cursor::start_of(replay::since(std::chrono::system_clock::time_point{1ms}), now)->next() ==
        stream_id{3, 0});
  // Later than the newest entry, as by a clock that is ahead of the server's.
  CHECK(stream_cursor::start_of(replay::since(std::chrono::system_clock::time_point{10ms}), now) == stream_id{9, 0});
  CHECK_FALSE(stream_cursor::start_of(replay::last(2), now));
  CHECK(stream_cursor::start_of(replay::last(0), now) == stream_id{9, 0});
  CHECK(stream_cursor::start_of(replay::last(2), facts(10, 9, 9)) == stream_id{9, 0});
}

TEST_CASE("what was trimmed behind the cursor is nothing, before it a notice with the range", "[stream_cursor]") {
  auto c = at(5, facts(1, 5, 5));
  CHECK(c.look(facts(5, 9, 9)).what == kind::nothing);
  CHECK(c.look(facts(6, 9, 9)).what == kind::nothing);
  const auto lost = c.look(facts(9, 12, 12));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{5, 1});
  CHECK(lost.last.next() == stream_id{9, 0});
  CHECK(c.position() == lost.last);
  CHECK(c.look(facts(9, 12, 12)).what == kind::nothing);
}

TEST_CASE("a stream trimmed to nothing is told, too", "[stream_cursor]") {
  auto c = at(5, facts(1, 5, 5));
  const auto lost = c.look(facts(10, 9, 9));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.last == stream_id{9, 0});
}

TEST_CASE("new entries are no trimming where the old ones go at once", "[stream_cursor]") {
  auto c = at(5, facts(5, 5, 5));
  for (std::uint64_t i = 6; i < 10; ++i) {
    CHECK(c.look(facts(i, i, i), entries(i, i)).what == kind::nothing);
  }
  CHECK(c.look(facts(11, 11, 11)).what == kind::trimmed);
}

TEST_CASE("what was trimmed before a read stands before what that read brought", "[stream_cursor]") {
  auto c = at(5, facts(1, 5, 5));
  // 6 and 7 came and went in one step.
  const auto lost = c.look(facts(8, 9, 9), entries(8, 9));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{5, 1});
  CHECK(lost.last.next() == stream_id{8, 0});
  CHECK_FALSE(lost.is_behind);
  CHECK(lost.read_before == 7);
  CHECK(c.position() == stream_id{9, 0});
  CHECK(c.look(facts(8, 9, 9)).what == kind::nothing);
}

TEST_CASE("what was trimmed after it was read is no loss, what was trimmed behind it is told behind it",
          "[stream_cursor]") {
  auto c = at(5, facts(1, 5, 5));
  CHECK(c.look(facts(9, 9, 9), entries(6, 9, 3)).what == kind::nothing);
  CHECK(c.look(facts(11, 10, 10), entries(10, 10, 1)).what == kind::nothing);
  const auto lost = c.look(facts(14, 15, 15), entries(11, 12, 2));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.is_behind);
  CHECK(lost.read_before == 10);
  CHECK(lost.last.next() == stream_id{14, 0});
  CHECK(c.position() == lost.last);
  CHECK(c.read() == 13);
}

TEST_CASE("a reader that does not know how much it has read tells that the stream's front has overtaken it",
          "[stream_cursor]") {
  stream_cursor c;
  c.begin({5, 0}, facts(1, 9, 9), stream_id{9, 0});
  CHECK(c.look(facts(1, 9, 9), entries(6, 6)).what == kind::nothing);
  CHECK(c.look(facts(8, 9, 9), entries(8, 8)).what == kind::trimmed);
  CHECK(c.look(facts(8, 9, 9), entries(9, 9)).what == kind::nothing);
}

TEST_CASE("a cursor of another time knows by its count whether something is missing", "[stream_cursor]") {
  stream_cursor none;
  none.begin({5, 0}, facts(6, 9, 9), stream_id{9, 0}, 5, true);
  CHECK(none.look(facts(6, 9, 9)).what == kind::nothing);
  stream_cursor some;
  some.begin({5, 0}, facts(7, 9, 9), stream_id{9, 0}, 5, true);
  CHECK(some.look(facts(7, 9, 9)).what == kind::trimmed);
  stream_cursor unknown;
  unknown.begin({5, 0}, facts(7, 9, 9), stream_id{9, 0}, std::nullopt, true);
  CHECK(unknown.look(facts(7, 9, 9)).what == kind::trimmed);
  CHECK(unknown.look(facts(7, 9, 9)).what == kind::nothing);
}

TEST_CASE("a deleted stream is a reset, once, and what comes then is read from its beginning", "[stream_cursor]") {
  auto c = at(5, facts(1, 5, 5));
  const auto gone = c.look({});
  CHECK(gone.what == kind::reset);
  CHECK(std::string(gone.reason) == "the stream was deleted");
  CHECK(c.position() == stream_id{});
  CHECK(c.look({}).what == kind::nothing);
  CHECK(c.look(facts(7, 8, 2)).what == kind::nothing);
}

TEST_CASE("a stream made anew between two looks is a reset, whether its ids are older or newer", "[stream_cursor]") {
  auto older = at(5, facts(1, 5, 5));
  CHECK(older.look(facts(1, 2, 2)).what == kind::reset);
  auto newer = at(5, facts(1, 5, 5));
  CHECK(newer.look(facts(7, 8, 2)).what == kind::reset);
  auto alike = at(5, {.exists = true, .length = 1, .last_generated = {5, 0}, .first = stream_id{5, 0}, .added = 1});
  CHECK(
      alike.look({.exists = true, .length = 1, .last_generated = {7, 0}, .first = stream_id{7, 0}, .added = 1}).what ==
      kind::reset);
}

TEST_CASE("what a read brought of a stream made anew is read again from its beginning", "[stream_cursor]") {
  const auto is_found = [](const stream_facts& now, const stream_read& what) {
    auto c = at(5, facts(1, 5, 5));
    const auto found = c.look(now, what);
    CHECK(c.position() == stream_id{});
    CHECK(c.read() == 0);
    return found.what == kind::reset;
  };
  CHECK(is_found({}, entries(6, 6)));                 // deleted since
  CHECK(is_found(facts(7, 8, 2), entries(7, 8)));     // newer ids
  CHECK(is_found(facts(4, 8, 5), entries(6, 8)));     // ids that we had before, and newer ones
  CHECK(is_found(facts(7, 26, 20), entries(7, 16)));  // more entries than before, and nothing gone
  CHECK(is_found(facts(1, 6, 6), entries(6, 7)));     // read before it was made anew
}

TEST_CASE("a stream whose newest entries are deleted ends before them: no reset, no lag, and a replay catches up there",
          "[stream_cursor]") {
  // 1 to 10 were added, 9 and 10 are deleted.
  const stream_facts now{.exists = true,
                         .length = 8,
                         .last_generated = {10, 0},
                         .first = stream_id{1, 0},
                         .last = stream_id{8, 0},
                         .added = 10};
  stream_cursor c;
  SECTION("before it is read") {
    const std::uint64_t begins_behind = GENERATE(0U, 4U);
    c.begin({begins_behind, 0}, now, now.end());
    CHECK(c.look(now).what == kind::nothing);
    CHECK(c.look(now, entries(begins_behind + 1, 8)).what == kind::nothing);
  }
  SECTION("while it is read") {
    const auto before = facts(1, 10, 10);
    c.begin({0, 0}, before, before.end());
    CHECK(c.look(before, entries(1, 4)).what == kind::nothing);
    CHECK_FALSE(c.has_caught_up({4, 0}));
    CHECK(c.look(now, entries(5, 8)).what == kind::nothing);
  }
  CHECK(c.lag() == 0);
  CHECK(c.read() == 10);
  CHECK(c.has_caught_up({8, 0}));
  CHECK(c.look(now).what == kind::nothing);
  CHECK(c.position() == stream_id{10, 0});
  // All the rest goes, too, and then comes something new.
  CHECK(c.look(facts(11, 10, 10)).what == kind::nothing);
  CHECK(c.look(facts(11, 11, 11), entries(11, 11)).what == kind::nothing);
  CHECK(c.position() == stream_id{11, 0});
}

TEST_CASE("one that resumes where only deleted entries follow is at the end", "[stream_cursor]") {
  stream_facts now = facts(1, 8, 10);
  now.last_generated = {10, 0};
  const auto count = GENERATE(as<std::optional<std::uint64_t>>{}, 10, 8, std::nullopt);
  stream_cursor c;
  c.begin({8, 0}, now, now.end(), count, true);
  CHECK(c.look(now).what == kind::nothing);
  CHECK(c.has_caught_up({8, 0}));
  CHECK(c.read() == 10);
}

TEST_CASE("a stream that never existed is no reset", "[stream_cursor]") {
  auto c = at(0, {});
  CHECK(c.look({}).what == kind::nothing);
  CHECK(c.look(facts(1, 2, 2)).what == kind::nothing);
}

TEST_CASE("a replay has caught up once, at what was there when it began", "[stream_cursor]") {
  stream_cursor c;
  c.begin({1, 0}, facts(1, 5, 5), stream_id{5, 0});
  CHECK_FALSE(c.has_caught_up({1, 0}));
  CHECK_FALSE(c.has_caught_up({4, 0}));
  CHECK(c.has_caught_up({5, 0}));
  CHECK_FALSE(c.has_caught_up({5, 0}));
}

TEST_CASE("a replay of a stream that was made anew has caught up at what is there now", "[stream_cursor]") {
  stream_cursor c;
  c.begin({1, 0}, facts(1, 5, 5), stream_id{5, 0});
  CHECK(c.look(facts(7, 8, 2)).what == kind::reset);
  CHECK_FALSE(c.has_caught_up({7, 0}));
  CHECK(c.has_caught_up({8, 0}));
}

TEST_CASE("servers before 7, which tell less, are understood", "[stream_cursor]") {
  std::vector<redis::reply> first_entry(2);
  first_entry[0] = {.kind = reply_kind::string, .text = "3-1"};
  std::vector<redis::reply> info(6);
  info[0] = {.kind = reply_kind::string, .text = "length"};
  info[1] = {.kind = reply_kind::integer, .integer = 2};
  info[2] = {.kind = reply_kind::string, .text = "last-generated-id"};
  info[3] = {.kind = reply_kind::string, .text = "9-2"};
  info[4] = {.kind = reply_kind::string, .text = "first-entry"};
  info[5] = {.kind = reply_kind::array, .elements = first_entry};
  const auto f = stream_facts::of({.kind = reply_kind::array, .elements = info});
  CHECK(f.exists);
  CHECK(f.length == 2);
  CHECK(f.last_generated == stream_id{9, 2});
  CHECK(f.first == stream_id{3, 1});
  CHECK_FALSE(f.added);
  auto c = at(5, f);
  CHECK(c.look(f).what == kind::nothing);
  CHECK_FALSE(stream_facts::of({.kind = reply_kind::error, .text = "ERR no such key"}).exists);
}
