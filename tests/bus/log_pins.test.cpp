#include <bus/log.hpp>

#include "tests/bus/core_fixture.hpp"
#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using testing::core_fixture;

namespace {

/// 20 payloads in chunks of 8 and more.
struct filled : core_fixture<testing::counted> {
  explicit filled(testing::census& census) {
    for (int i = 1; i <= 20; ++i) append({census, i});
    log.publish();
  }
};

}  // namespace

TEST_CASE("a pin keeps the payloads of its chunk through a trim", "[log]") {
  testing::census census;
  filled f(census);
  std::uint64_t position = 3;
  const core::stretch pinned = f.log.pin(position);
  CHECK(position == 3);
  f.log.trim(9);
  CHECK(census.living() == 20);
  CHECK(static_cast<const core::entry_of<testing::counted>*>(pinned.holder()->at(3))->value()->value() == 3);
}

TEST_CASE("a later trim catches up on what a pin had kept", "[log]") {
  testing::census census;
  filled f(census);
  {
    std::uint64_t position = 9;
    const core::stretch pinned = f.log.pin(position);
    f.log.trim(12);
    CHECK(census.living() == 12);  // the first chunk went, the pinned one stays whole
  }
  f.log.trim(12);
  CHECK(census.living() == 9);
}

TEST_CASE("a pin keeps its chunk, never the log", "[log]") {
  testing::census census;
  filled f(census);
  std::uint64_t position = 1;
  core::stretch pinned = f.log.pin(position);
  f.log.trim(21);
  CHECK(census.living() == 8);
  CHECK(f.log.pinned_chunks() == 1);
  pinned.release();
  CHECK(census.living() == 0);
  CHECK(f.log.pinned_chunks() == 0);
}

TEST_CASE("pinning what is trimmed pins the oldest there is, and says so", "[log]") {
  testing::census census;
  filled f(census);
  f.log.trim(11);
  std::uint64_t position = 2;
  const core::stretch pinned = f.log.pin(position);
  CHECK(position == 11);
  CHECK(pinned.holds(11));
}

TEST_CASE("a pinned chunk outlives its log", "[log]") {
  testing::census census;
  core::stretch pinned;
  {
    filled f(census);
    std::uint64_t position = 20;
    pinned = f.log.pin(position);
  }
  CHECK(census.living() >= 1);
  CHECK(static_cast<const core::entry_of<testing::counted>*>(pinned.holder()->at(20))->value()->value() == 20);
  pinned.release();
  CHECK(census.living() == 0);
}

TEST_CASE("a stretch holds the sequences of its chunk from its own on", "[log]") {
  testing::census census;
  filled f(census);
  std::uint64_t position = 5;
  core::stretch pinned = f.log.pin(position);
  CHECK_FALSE(pinned.holds(4));
  CHECK(pinned.holds(5));
  CHECK(pinned.holds(8));
  CHECK_FALSE(pinned.holds(9));
  core::stretch other = std::move(pinned);
  CHECK(other.holds(5));
  CHECK_FALSE(pinned.holds(5));
}

TEST_CASE("a chunk that somebody reads is not used again", "[log]") {
  core_fixture<int> f;
  for (int i = 1; i <= 8; ++i) f.append(i);
  f.log.publish();
  std::uint64_t position = 1;
  const core::stretch pinned = f.log.pin(position);
  for (int i = 9; i <= 1000; ++i) {
    f.append(i);
    f.log.publish();
    f.log.trim(f.log.end());
  }
  for (std::uint64_t s = 1; s <= 8; ++s) {
    CHECK(*static_cast<const core::entry_of<int>*>(pinned.holder()->at(s))->value() == static_cast<int>(s));
  }
}
