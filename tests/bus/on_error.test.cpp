#include <bus/on_error.hpp>

#include <limits>

#include <bus/errors.hpp>
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using actorbus::errc;
using actorbus::on_error;

namespace {

template <class Make>
std::error_code code_of(Make make) {
  try {
    make();
  } catch (const actorbus::bus_error& error) {
    return error.code();
  }
  return {};
}

}  // namespace

TEST_CASE("without retries the outcome follows at once", "[on_error]") {
  CHECK(on_error::ignore().retries() == 0);
  CHECK(on_error::ignore().finally() == on_error::outcome::ignore);
  CHECK(on_error::cancel().finally() == on_error::outcome::cancel);
  CHECK(on_error::dead_letter("a.dead").finally() == on_error::outcome::dead_letter);
  CHECK(on_error::dead_letter("a.dead").dead_letter_topic() == "a.dead");
}

TEST_CASE("a retry ends in ignore unless told otherwise", "[on_error]") {
  const on_error retry = on_error::retry(3, 10ms);
  CHECK(retry.retries() == 3);
  CHECK(retry.finally() == on_error::outcome::ignore);
  CHECK(retry == retry.then_ignore());
  CHECK(retry.then_cancel().finally() == on_error::outcome::cancel);
  CHECK(retry.then_cancel().retries() == 3);

  const on_error dead = retry.then_dead_letter("robot.dead");
  CHECK(dead.finally() == on_error::outcome::dead_letter);
  CHECK(dead.dead_letter_topic() == "robot.dead");
  CHECK(dead.then_cancel().dead_letter_topic().empty());
}

TEST_CASE("each retry waits longer by the factor", "[on_error]") {
  const on_error doubling = on_error::retry(5, 10ms);
  CHECK(doubling.delay(1) == 10ms);
  CHECK(doubling.delay(2) == 20ms);
  CHECK(doubling.delay(3) == 40ms);
  const on_error even = on_error::retry(5, 10ms, 1.0);
  CHECK(even.delay(1) == 10ms);
  CHECK(even.delay(1000) == 10ms);
  CHECK(on_error::retry(5, 4ms, 1.5).delay(2) == 6ms);
}

TEST_CASE("no delay grows longer than a minute, however many retries", "[on_error]") {
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  CHECK(on_error::retry(9, 50s).delay(2) == 1min);
  CHECK(on_error::retry(9, 1ms).delay(most) == 1min);
  CHECK(on_error::retry(9, 1ns, 1e300).delay(3) == 1min);
  CHECK(on_error::retry(9, 2h).delay(1) == 1min);
  CHECK(on_error::retry(9, std::chrono::nanoseconds::max()).delay(2) == 1min);
  CHECK(on_error::retry(9, 0ns, 1e300).delay(most) == 0ns);
}

TEST_CASE("impossible retries are refused", "[on_error]") {
  CHECK(code_of([] { on_error::retry(1, -1ns); }) == errc::invalid_argument);
  CHECK(code_of([] { on_error::retry(1, 1ms, 0.99); }) == errc::invalid_argument);
  CHECK(code_of([] { on_error::retry(1, 1ms, std::numeric_limits<double>::quiet_NaN()); }) == errc::invalid_argument);
  CHECK(code_of([] { on_error::retry(1, 1ms, std::numeric_limits<double>::infinity()); }) == errc::invalid_argument);
  CHECK_FALSE(code_of([] { on_error::retry(0, 0ns, 1.0); }));
}

TEST_CASE("a dead letter topic has a valid name", "[on_error]") {
  CHECK(code_of([] { on_error::dead_letter(""); }) == errc::invalid_topic);
  CHECK(code_of([] { on_error::dead_letter("a.*"); }) == errc::invalid_topic);
  CHECK(code_of([] { on_error::retry(1, 1ms).then_dead_letter("a b"); }) == errc::invalid_topic);
}

TEST_CASE("two error policies are equal when they do the same", "[on_error]") {
  CHECK(on_error::ignore() == on_error::ignore());
  CHECK(on_error::ignore() != on_error::cancel());
  CHECK(on_error::retry(3, 10ms) == on_error::retry(3, 10ms, 2.0));
  CHECK(on_error::retry(3, 10ms) != on_error::retry(3, 11ms));
  CHECK(on_error::dead_letter("a") != on_error::dead_letter("b"));
}
