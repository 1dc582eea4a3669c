#include <bus/replay.hpp>

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using actorbus::replay;
using actorbus::replay_kind;

TEST_CASE("a replay remembers where to begin", "[replay]") {
  const std::chrono::system_clock::time_point noon{12h};
  CHECK(replay::live().kind() == replay_kind::live);
  CHECK(replay::all().kind() == replay_kind::all);
  CHECK(replay::last(10).kind() == replay_kind::last);
  CHECK(replay::last(10).count() == 10);
  CHECK(replay::after(7).kind() == replay_kind::after);
  CHECK(replay::after(7).sequence() == 7);
  CHECK(replay::since(noon).kind() == replay_kind::since);
  CHECK(replay::since(noon).time() == noon);
}

TEST_CASE("two replays are equal when they begin at the same place in the same way", "[replay]") {
  CHECK(replay::live() == replay::live());
  CHECK(replay::live() != replay::all());
  CHECK(replay::last(1) == replay::last(1));
  CHECK(replay::last(1) != replay::last(2));
  CHECK(replay::after(0) != replay::last(0));
  CHECK(replay::after(1) != replay::after(2));
}
