// How far a group is in its stream, told by hand what the server knows.
#include <bridges/redis/group_progress.hpp>

#include "tests/catch.hpp"

using namespace actorbus;
using namespace actorbus::redis;

namespace {

using kind = group_progress::finding::kind;

stream_facts stream(std::uint64_t first, std::uint64_t last, std::uint64_t added) {
  stream_facts f{.exists = true, .length = last - first + 1, .last_generated = {last, 0}, .added = added};
  if (first <= last) f.first = stream_id{first, 0};
  return f;
}

group_facts group(std::uint64_t delivered, std::uint64_t read) {
  return {.delivered = {delivered, 0}, .read = read, .lag = 0};
}

group_progress at(std::uint64_t place) {
  group_progress p;
  CHECK(p.look(stream(1, place, place), group(place, place)).what == kind::nothing);
  return p;
}

}  // namespace

TEST_CASE("what is trimmed before a group has read it is found, while it is behind and afterwards, once",
          "[group_progress]") {
  auto behind = at(5);
  CHECK(behind.look(stream(4, 9, 9), group(5, 5)).what == kind::nothing);
  const auto lost = behind.look(stream(8, 9, 9), group(5, 5));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{5, 1});
  CHECK(lost.last.next() == stream_id{8, 0});
  CHECK(behind.look(stream(8, 9, 9), group(5, 5)).what == kind::nothing);
  CHECK(behind.look(stream(8, 9, 9), group(9, 7)).what == kind::nothing);

  auto afterwards = at(5);
  const auto found = afterwards.look(stream(8, 9, 9), group(9, 7));
  CHECK(found.what == kind::trimmed);
  CHECK(found.first == stream_id{5, 1});
  CHECK(found.last == stream_id{9, 0});
  CHECK(afterwards.look(stream(8, 10, 10), group(10, 8)).what == kind::nothing);
  CHECK(afterwards.look(stream(12, 12, 12), group(12, 9)).what == kind::trimmed);
}

TEST_CASE("a server that counts anew, as after a restart, hides no loss that is smaller than those before",
          "[group_progress]") {
  auto seen = at(5);
  CHECK(seen.look(stream(8, 9, 9), group(9, 7)).what == kind::trimmed);      // two
  CHECK(seen.look(stream(8, 10, 10), group(10, 10)).what == kind::nothing);  // of which it knows nothing any more
  const auto lost = seen.look(stream(12, 12, 12), group(12, 11));            // one
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{10, 1});

  auto unseen = at(5);
  CHECK(unseen.look(stream(8, 9, 9), group(9, 7)).what == kind::trimmed);
  CHECK(unseen.look(stream(12, 12, 12), group(12, 11)).what == kind::trimmed);  // both between two looks
}

TEST_CASE("one that comes to a group is told what was lost and is not passed, not what others were told",
          "[group_progress]") {
  group_progress fresh;
  CHECK(fresh.look(stream(8, 9, 9), group(9, 7)).what == kind::nothing);
  CHECK(fresh.look(stream(8, 10, 10), group(10, 8)).what == kind::nothing);
  group_progress late;
  CHECK(late.look(stream(8, 9, 9), group(5, 5)).what == kind::trimmed);
}

TEST_CASE("a group in the middle of its stream, and a server that does not count, tell nothing", "[group_progress]") {
  auto p = at(5);
  CHECK(p.look(stream(3, 9, 9), group(6, 6)).what == kind::nothing);
  CHECK(p.look(stream(8, 9, 9), {.delivered = {5, 0}}).what == kind::nothing);
}

TEST_CASE("what was lost while a group was in the middle is inside the range that is told in the end",
          "[group_progress]") {
  auto p = at(5);
  CHECK(p.look(stream(9, 20, 20), group(12, 9)).what == kind::nothing);  // 6 to 8 are gone
  CHECK(p.look(stream(9, 20, 20), group(15, 12)).what == kind::nothing);
  const auto ahead = GENERATE(true, false);
  const auto lost = ahead ? p.look(stream(19, 20, 20), group(17, 14)) : p.look(stream(9, 20, 20), group(20, 17));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{5, 1});
  CHECK(lost.last >= stream_id{8, 0});
}

TEST_CASE("one that comes to a group in its middle is told in the end what may have been lost since",
          "[group_progress]") {
  const bool counts = GENERATE(true, false);
  const auto came = [&] {
    group_progress p;
    CHECK(p.look(stream(3, 20, 20), counts ? group(10, 8) : group_facts{.delivered = {10, 0}}).what == kind::nothing);
    return p;
  };
  CHECK(came().look(stream(3, 20, 20), group(20, counts ? 18 : 20)).what == kind::nothing);  // before it came
  CHECK(came().look(stream(9, 20, 20), group(20, counts ? 18 : 20)).what == kind::nothing);  // what was read
  const auto lost = came().look(stream(15, 20, 20), group(20, counts ? 14 : 20));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{10, 1});
  CHECK(lost.last == stream_id{20, 0});
}

TEST_CASE("what was lost in the middle of a group that was then destroyed is told when it is made again",
          "[group_progress]") {
  auto p = at(5);
  CHECK(p.look(stream(9, 20, 20), group(12, 9)).what == kind::nothing);  // 6 to 8 are gone
  const auto lost = p.regroup(stream(9, 20, 20), {12, 0});
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.first == stream_id{5, 1});
  CHECK(lost.last.next() == stream_id{9, 0});
  CHECK(p.look(stream(9, 20, 20), {.delivered = {15, 0}}).what == kind::nothing);
  CHECK(p.look(stream(9, 20, 20), group(20, 20)).what == kind::nothing);
}

TEST_CASE("a loss is told once, also where counts of two moments make it look smaller in between", "[group_progress]") {
  auto p = at(5);
  CHECK(p.look(stream(8, 9, 9), group(9, 7)).what == kind::trimmed);
  CHECK(p.look(stream(8, 9, 9), group(11, 9)).what == kind::nothing);
  CHECK(p.look(stream(8, 11, 11), group(11, 9)).what == kind::nothing);
}

TEST_CASE("a stream that is emptied behind its group is a loss of all that was in it", "[group_progress]") {
  auto p = at(5);
  const auto lost = p.look(stream(10, 9, 9), group(5, 5));
  CHECK(lost.what == kind::trimmed);
  CHECK(lost.last == stream_id{9, 0});
}

TEST_CASE("a group that is gone with its stream is told apart from one that is only gone", "[group_progress]") {
  CHECK(at(5).regroup(stream(1, 6, 6)).what == kind::nothing);
  CHECK(at(5).regroup(stream(1, 9, 9), {5, 0}).what == kind::nothing);
  CHECK(at(5).regroup(stream(6, 9, 9), {5, 0}).what == kind::trimmed);  // though it may be only what was handled
  const auto lost = at(5).regroup(stream(8, 9, 9), {4, 0});
  CHECK(lost.first == stream_id{4, 1});
  CHECK(lost.last.next() == stream_id{8, 0});
  CHECK(at(5).regroup(stream(10, 9, 9), {4, 0}).last == stream_id{9, 0});
  CHECK(at(5).regroup({}).what == kind::reset);
  CHECK(at(5).regroup(stream(7, 8, 2)).what == kind::reset);
  auto counted = at(5);
  for (std::uint64_t i = 6; i <= 9; ++i) counted.delivered({i, 0});
  counted.delivered({9, 0});  // again
  CHECK(counted.regroup(stream(10, 17, 8)).what == kind::reset);
  auto unknown = group_progress();
  CHECK(unknown.regroup({}).what == kind::nothing);
  auto twice = at(5);
  CHECK(twice.regroup({}).what == kind::reset);
  CHECK(twice.regroup({}).what == kind::nothing);
}

TEST_CASE("a stream made anew is known also where it has more entries by now than the one before", "[group_progress]") {
  const stream_facts anew{
      .exists = true, .length = 20, .last_generated = {40, 0}, .first = stream_id{21, 0}, .added = 20};
  CHECK(at(5).regroup(anew, {5, 0}).what == kind::reset);
  CHECK(at(5).look(anew, group(30, 10)).what == kind::reset);
  auto trimmed = anew;
  trimmed.added = 40;  // all of ours are among those that are gone
  CHECK(at(5).regroup(trimmed, {5, 0}).what == kind::trimmed);
  auto late = at(5);
  late.delivered({50, 0});  // behind the moment that is looked at
  CHECK(late.look(stream(1, 40, 40), group(40, 40)).what == kind::nothing);
}

TEST_CASE("a stream and group that others have made anew are found by the next look", "[group_progress]") {
  auto p = at(5);
  CHECK(p.look(stream(7, 8, 2), group(8, 2)).what == kind::reset);
  CHECK(p.look(stream(7, 9, 3), group(9, 3)).what == kind::nothing);
  CHECK(p.delivered_to() == stream_id{9, 0});
}

TEST_CASE("a lag that the server does not count is at most what is there, and what came since the group was through",
          "[group_progress]") {
  group_progress p;
  const auto uncounted = [](std::uint64_t delivered) { return group_facts{.delivered = {delivered, 0}}; };
  p.look(stream(3, 20, 20), uncounted(10));  // begun in the middle
  CHECK(p.lag() == 18);
  p.look(stream(16, 20, 20), uncounted(10));  // all that is there is behind it
  CHECK(p.lag() == 5);
  p.look(stream(3, 20, 20), uncounted(20));
  CHECK(p.lag() == 0);
  p.look(stream(3, 26, 26), uncounted(22));
  CHECK(p.lag() == 6);
  p.look(stream(3, 26, 26), {.delivered = {22, 0}, .lag = 4});  // the server knows better
  CHECK(p.lag() == 4);
  p.look(stream(3, 26, 26), {.delivered = {22, 0}, .read = 22});  // or knows what was read
  CHECK(p.lag() == 4);
  p.look(stream(3, 26, 26), uncounted(8));  // somebody has made it again further back
  CHECK(p.lag() == 24);
  stream_facts shortened = stream(3, 26, 26);
  shortened.last = stream_id{24, 0};  // what came last was deleted
  p.look(shortened, uncounted(24));
  CHECK(p.lag() == 0);
  stream_facts old = stream(3, 26, 26);
  old.added.reset();  // a server that counts nothing
  p.look(old, uncounted(8));
  CHECK(p.lag() == 24);
  p.look(old, uncounted(26));
  CHECK(p.lag() == 0);
}
