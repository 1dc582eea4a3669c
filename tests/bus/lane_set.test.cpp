#include <bus/in_handler.hpp>

#include <thread>

#include <bus/lane.hpp>

#include "tests/bus/core_fixture.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using core::handler_scope;
using core::lane_set;
using testing::core_fixture;

TEST_CASE("a lane set has one place for each topic", "[lane_set]") {
  core_fixture<int> f;
  lane_set set;
  CHECK(set.at(1) == nullptr);
  set.at(1) = f.lane;
  CHECK(set.at(2) == nullptr);
  CHECK(set.at(1) == f.lane);
}

TEST_CASE("a lane set that goes leaves its lanes", "[lane_set]") {
  core_fixture<int> f;
  {
    lane_set set;
    set.at(1) = f.lane;
    CHECK_FALSE(f.lane->was_left());
  }
  CHECK(f.lane->was_left());
}

TEST_CASE("a lane set forgets sealed lanes in time and keeps the others", "[lane_set]") {
  core_fixture<int> kept, sealed;
  sealed.lane->seal();
  lane_set set;
  set.at(1) = kept.lane;
  for (std::uint64_t id = 2; id < 1000; ++id) set.at(id) = sealed.lane;
  CHECK(sealed.lane.use_count() < 200);
  CHECK(set.at(1) == kept.lane);
}

TEST_CASE("each thread has lanes of its own", "[lane_set]") {
  lane_set* here = &lane_set::current();
  lane_set* there = nullptr;
  std::thread([&] { there = &lane_set::current(); }).join();
  CHECK(here != there);
  CHECK(here == &lane_set::current());
}

TEST_CASE("a thread that ends leaves its lanes", "[lane_set]") {
  core_fixture<int> f;
  std::thread([&] { lane_set::current().at(1) = f.lane; }).join();
  CHECK(f.lane->was_left());
}

TEST_CASE("in a handler the subscription's lanes are in force, whichever thread runs it", "[lane_set]") {
  lane_set of_thread, of_subscription;
  lane_set* const outside = &lane_set::current();
  {
    const handler_scope scope(&of_subscription);
    CHECK(&lane_set::current() == &of_subscription);
    {
      const handler_scope nested;  // a handler that names none keeps those in force
      CHECK(&lane_set::current() == &of_subscription);
    }
    {
      lane_set other;
      const handler_scope nested(&other);
      CHECK(&lane_set::current() == &other);
    }
    CHECK(&lane_set::current() == &of_subscription);
  }
  CHECK(&lane_set::current() == outside);
}

TEST_CASE("a thread knows whether it is inside a handler", "[lane_set]") {
  CHECK_FALSE(core::in_handler());
  {
    const handler_scope outer;
    {
      const handler_scope inner;
      CHECK(core::in_handler());
    }
    CHECK(core::in_handler());
    bool elsewhere = true;
    std::thread([&] { elsewhere = core::in_handler(); }).join();
    CHECK_FALSE(elsewhere);
  }
  CHECK_FALSE(core::in_handler());
}

TEST_CASE("what waits for handlers is refused inside one, and the error says what", "[lane_set]") {
  CHECK_NOTHROW(core::require_outside_handler("flush"));
  const handler_scope inside;
  try {
    core::require_outside_handler("flush");
    FAIL("not refused");
  } catch (const bus_error& error) {
    CHECK(error.code() == errc::in_handler);
    CHECK(std::string(error.what()).find("flush") != std::string::npos);
  }
}
