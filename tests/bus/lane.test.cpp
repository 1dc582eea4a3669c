#include <bus/lane.hpp>

#include <limits>
#include <numeric>
#include <string>
#include <thread>

#include "tests/bus/core_fixture.hpp"
#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using testing::core_fixture;

namespace {

constexpr auto all = std::numeric_limits<std::size_t>::max();

}  // namespace

TEST_CASE("a lane hands its entries to the log in the order of the pushes", "[lane]") {
  core_fixture<int> f;
  for (const int i : {1, 2, 3}) CHECK(f.push(i));
  CHECK(f.lane->pushed() == 3);
  CHECK(f.lane->drain(f.log, all, 7) == 3);
  f.log.publish();
  CHECK(f.visible() == std::vector{1, 2, 3});
  CHECK(f.time_at(3) == 7);
  CHECK(f.lane->empty());
}

TEST_CASE("draining takes at most what it is asked for", "[lane]") {
  core_fixture<int> f;
  for (int i = 0; i < 5; ++i) f.push(i);
  CHECK(f.lane->drain(f.log, 2, 0) == 2);
  CHECK(f.lane->drained() == 2);
  CHECK_FALSE(f.lane->empty());
  CHECK(f.lane->drain(f.log, all, 0) == 3);
}

TEST_CASE("a batch larger than a chunk passes from a lane into several", "[lane]") {
  core_fixture<int> f(1000);
  std::vector<int> values(1000);
  std::iota(values.begin(), values.end(), 0);
  CHECK(f.lane->push(core::batch_arrival<int>{values.data(), nullptr}, values.size()) == 1000);
  CHECK(f.lane->drain(f.log, all, 0) == 1000);
  f.log.publish();
  CHECK(f.visible() == values);
}

TEST_CASE("of a batch a lane takes what fits", "[lane]") {
  core_fixture<int> f(4);
  const std::vector<int> values{1, 2, 3, 4, 5, 6};
  CHECK(f.lane->push(core::batch_arrival<int>{values.data(), nullptr}, values.size()) == 4);
  CHECK(f.lane->full());
  f.lane->drain(f.log, all, 0);
  f.log.publish();
  CHECK(f.visible() == std::vector{1, 2, 3, 4});
}

TEST_CASE("a full lane refuses and has not moved from the value", "[lane]") {
  core_fixture<std::string> f(1);
  CHECK(f.push("first"));
  std::string second = "second, longer than a small string";
  const core::arrival<std::string> one{&second, nullptr};
  CHECK(f.lane->push(core::single_arrival<core::arrival<std::string>>{&one}, 1) == 0);
  CHECK(second == "second, longer than a small string");
  CHECK(f.lane->pushed() == 1);
}

TEST_CASE("move-only payloads pass through a lane", "[lane]") {
  core_fixture<std::unique_ptr<int>> f;
  f.push(std::make_unique<int>(42));
  f.lane->drain(f.log, all, 0);
  f.log.publish();
  CHECK(*f.at(1) == 42);
}

TEST_CASE("what a lane still holds is destroyed with it", "[lane]") {
  testing::census census;
  {
    core_fixture<testing::counted> f;
    f.push({census, 1});
    f.push({census, 2});
    CHECK(census.living() == 2);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("discarding empties a lane and counts what is lost", "[lane]") {
  testing::census census;
  core_fixture<testing::counted> f;
  f.push({census, 1});
  f.push({census, 2});
  CHECK(f.lane->discard(make_error_code(errc::closed)) == 2);
  CHECK(f.lane->empty());
  CHECK(census.living() == 0);
}

TEST_CASE("only an empty lane is sealed", "[lane]") {
  core_fixture<int> f;
  f.push(1);
  CHECK_FALSE(f.lane->seal());
  CHECK_FALSE(f.lane->is_sealed());
  f.lane->drain(f.log, all, 0);
  CHECK(f.lane->seal());
  CHECK(f.lane->is_sealed());
}

TEST_CASE("a push into a sealed lane is not settled and can be recalled, once, with its payload", "[lane]") {
  testing::census census;
  core_fixture<testing::counted> f;
  REQUIRE(f.lane->seal());
  f.push({census, 5});
  CHECK_FALSE(f.lane->settle());
  int recalled = 0;
  f.lane->recall([&](testing::counted& value) { recalled = value.value(); });
  CHECK(recalled == 5);
  CHECK(f.lane->empty());
  f.lane.reset();
  CHECK(census.living() == 0);
}

TEST_CASE("a push that was drained before the seal is settled", "[lane]") {
  core_fixture<int> f;
  f.push(1);
  f.lane->drain(f.log, all, 0);
  REQUIRE(f.lane->seal());
  CHECK(f.lane->settle());
}

TEST_CASE("a lane remembers that its producer left", "[lane]") {
  core_fixture<int> f;
  CHECK_FALSE(f.lane->was_left());
  f.lane->leave();
  CHECK(f.lane->was_left());
}

namespace {

/// A producer pushes while the consumer drains and seals as soon as it finds nothing. Returns what was drained and
/// recalled.
std::vector<int> meet(int count) {
  core_fixture<int> f(4);
  std::vector<int> recalled;
  std::thread producer([&] {
    for (int i = 0; i < count; ++i) {
      while (!f.push(i)) std::this_thread::yield();
      std::atomic_thread_fence(std::memory_order_seq_cst);  // as the bell's ring has one
      if (f.lane->settle()) continue;
      f.lane->recall([&](int& value) { recalled.push_back(value); });
      return;  // a lane that is sealed stays sealed
    }
  });
  const auto most = static_cast<std::uint64_t>(count);
  while (f.lane->drained() < most && !f.lane->seal()) f.lane->drain(f.log, all, 0);
  producer.join();
  f.log.publish();
  std::vector<int> found = f.visible();
  found.insert(found.end(), recalled.begin(), recalled.end());
  if (recalled.size() > 1 || f.lane->pushed() != f.lane->drained()) found.push_back(-1);
  return found;
}

}  // namespace

TEST_CASE("each entry is drained once or recalled once, however pushes and seals meet", "[lane][stress]") {
  bool all_well = true;
  for (std::size_t round = 0; round < testing::scaled(2'000); ++round) {
    const std::vector<int> found = meet(20);
    std::vector<int> expected(found.size());
    std::iota(expected.begin(), expected.end(), 0);
    all_well = all_well && found == expected;
  }
  CHECK(all_well);
}
