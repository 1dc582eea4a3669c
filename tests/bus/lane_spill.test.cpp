#include <bus/lane.hpp>

#include <chrono>
#include <future>
#include <limits>
#include <stdexcept>

#include "tests/bus/core_fixture.hpp"
#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using testing::core_fixture;

namespace {

constexpr auto all = std::numeric_limits<std::size_t>::max();

bool is_ready(const std::future<void>& what) {
  return what.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
}

}  // namespace

TEST_CASE("what a lane cannot hold goes to its spill, behind the ring", "[lane]") {
  core_fixture<int> f(2);
  CHECK(f.push(1));
  CHECK(f.push(2));
  CHECK(f.spill(3, 10));
  CHECK(f.spill(4, 10));
  CHECK(f.lane->spilled() == 2);
  CHECK(f.lane->pushed() == 4);
  CHECK(f.lane->drain(f.log, all, 0) == 4);
  f.log.publish();
  CHECK(f.visible() == std::vector{1, 2, 3, 4});
}

TEST_CASE("while something is in the spill the lane takes nothing, so that order is kept", "[lane]") {
  core_fixture<int> f(2);
  f.push(1);
  f.spill(2, 10);
  CHECK(f.lane->full());
  CHECK_FALSE(f.push(3));
  f.lane->drain(f.log, all, 0);
  CHECK_FALSE(f.lane->full());
  CHECK(f.push(3));
}

TEST_CASE("draining takes from the spill at most what it is asked for", "[lane]") {
  core_fixture<int> f(1);
  f.push(1);
  for (const int i : {2, 3, 4}) f.spill(i, 10);
  CHECK(f.lane->drain(f.log, 2, 0) == 2);
  CHECK(f.lane->spilled() == 2);
  CHECK(f.lane->drain(f.log, all, 0) == 2);
}

TEST_CASE("the spills of all lanes of a topic are bounded together", "[lane]") {
  core_fixture<int> f;
  core::lane_of<int> other(8, f.topic);
  CHECK(f.spill(1, 2));
  int two = 2, three = 3;
  CHECK(other.spill(core::arrival<int>{&two, nullptr}, 2));
  CHECK_FALSE(f.spill(three, 2));
  CHECK_FALSE(other.spill(core::arrival<int>{&three, nullptr}, 2));
  f.lane->drain(f.log, all, 0);
  CHECK(other.spill(core::arrival<int>{&three, nullptr}, 2));
}

TEST_CASE("a promise in the spill is kept once its entry is in the log", "[lane]") {
  core_fixture<int> f(1);
  f.push(1);
  std::promise<void> promise;
  const auto accepted = promise.get_future();
  f.spill(2, 10, &promise);
  f.lane->drain(f.log, 1, 0);
  CHECK_FALSE(is_ready(accepted));
  f.lane->drain(f.log, 1, 0);
  CHECK(is_ready(accepted));
}

TEST_CASE("discarding a spill fails its promises with the reason", "[lane]") {
  core_fixture<int> f(1);
  std::promise<void> promise;
  auto accepted = promise.get_future();
  f.spill(2, 10, &promise);
  CHECK(f.lane->discard(make_error_code(errc::closed)) == 1);
  CHECK(testing::error_of([&] { accepted.get(); }) == errc::closed);
  CHECK(f.topic->spilled == 0);
}

TEST_CASE("a lane that goes gives its places in the spill back", "[lane]") {
  testing::census census;
  core_fixture<testing::counted> f(1);
  f.spill({census, 1}, 10);
  f.lane.reset();
  CHECK(f.topic->spilled == 0);
  CHECK(census.living() == 0);
}

TEST_CASE("a spilled push into a sealed lane is recalled from the spill", "[lane]") {
  testing::census census;
  core_fixture<testing::counted> f;
  REQUIRE(f.lane->seal());
  f.spill({census, 9}, 10);
  CHECK_FALSE(f.lane->settle());
  int recalled = 0;
  f.lane->recall([&](testing::counted& value) { recalled = value.value(); });
  CHECK(recalled == 9);
  CHECK(f.lane->spilled() == 0);
  CHECK(f.topic->spilled == 0);
  CHECK(f.lane->empty());
  f.lane.reset();
  CHECK(census.living() == 0);
}

namespace {

struct uncopyable_at_will {
  bool refuses = false;
  uncopyable_at_will() = default;
  explicit uncopyable_at_will(bool yes) : refuses(yes) {}
  uncopyable_at_will(const uncopyable_at_will& other) : refuses(other.refuses) {
    if (refuses) throw std::runtime_error("no copy");
  }
  uncopyable_at_will(uncopyable_at_will&&) noexcept = default;
};

}  // namespace

TEST_CASE("a payload whose copy throws takes no place in the spill", "[lane]") {
  core_fixture<uncopyable_at_will> f;
  const uncopyable_at_will bad(true);
  CHECK_THROWS(f.lane->spill(core::arrival<const uncopyable_at_will>{&bad, nullptr}, 10));
  CHECK(f.topic->spilled == 0);
  CHECK(f.lane->empty());
}
