#include <bridges/redis/retry_schedule.hpp>

#include <limits>
#include <random>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using actorbus::redis::retry_schedule;
using namespace std::chrono_literals;

namespace {

/// Chance that always says the same.
retry_schedule::random always(std::uint64_t chance) {
  return [chance] { return chance; };
}

}  // namespace

TEST_CASE("each delay is twice the one before, up to the longest", "[retry_schedule]") {
  retry_schedule schedule(100ms, 2s, always(0));
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms}) CHECK(schedule.next() == expected);
  CHECK(schedule.attempts() == 7);
}

TEST_CASE("a schedule that is reset begins with the first delay again", "[retry_schedule]") {
  retry_schedule schedule(100ms, 2s, always(0));
  schedule.next();
  schedule.next();
  schedule.reset();
  CHECK(schedule.attempts() == 0);
  CHECK(schedule.next() == 100ms);
}

TEST_CASE("chance takes at most half of a delay away, in full use of that half", "[retry_schedule]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 engine(seed);
  retry_schedule schedule(100ms, 1s, [&] { return engine(); });
  auto shortest = 1000ns * 1'000'000, longest = 0ns;
  for (int i = 0; i < 4; ++i) schedule.next();
  for (int i = 0; i < 10'000; ++i) {
    const auto delay = schedule.next();
    CHECK(delay >= 500ms);
    CHECK(delay <= 1s);
    shortest = std::min(shortest, delay);
    longest = std::max(longest, delay);
  }
  CHECK(shortest < 510ms);
  CHECK(longest > 990ms);
}

TEST_CASE("a schedule asked for ever neither overflows nor falls below its half", "[retry_schedule]") {
  const auto most = retry_schedule::duration::max();
  for (const auto first : {retry_schedule::duration(1), retry_schedule::duration(3), most}) {
    retry_schedule schedule(first, most, always(0));
    auto last = 0ns;
    for (int i = 0; i < 200; ++i) {
      const auto delay = schedule.next();
      CHECK(delay >= last);
      last = delay;
    }
    CHECK(last == most);
  }
  retry_schedule jittered(1ns, most, always(std::numeric_limits<std::uint64_t>::max()));
  for (int i = 0; i < 200; ++i) CHECK(jittered.next() > 0ns);
}

TEST_CASE("a schedule without a delay, or one that shrinks, is refused", "[retry_schedule]") {
  CHECK(error_of([] { retry_schedule(0ms, 1s, always(0)); }) == errc::invalid_argument);
  CHECK(error_of([] { retry_schedule(-1ms, 1s, always(0)); }) == errc::invalid_argument);
  CHECK(error_of([] { retry_schedule(2s, 1s, always(0)); }) == errc::invalid_argument);
  CHECK_FALSE(error_of([] { retry_schedule(1s, 1s, always(0)); }));
}
