// Handlers that throw, on the real engine.
#include <array>
#include <atomic>
#include <stdexcept>
#include <vector>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::eventually;
using testing::scaled;

namespace {

constexpr std::array everywhere{run_on::pool, run_on::topic, run_on::own_thread};

}  // namespace

TEST_CASE("a back-off occupies no worker, not even the only one", "[failing_handler][load]") {
  for (const auto where : everywhere) {
    testing::recording_logger log;
    bus on({.workers = 1, .close_within = 0ns, .logger = log.logger()});
    auto poses = on.topic<int>("poses");
    std::atomic<int> failed{0}, handled{0};
    const auto a = poses.subscribe(
        [&](int) {
          failed.fetch_add(1);
          throw std::runtime_error("not today");
        },
        {.run_on = where, .on_error = on_error::retry(1, 1h)});
    const auto b = poses.subscribe([&](int) { handled.fetch_add(1); }, {.run_on = where});
    for (int i = 0; i < 5000; ++i) poses.publish(i);
    CHECK(eventually([&] { return handled.load() == 5000 && failed.load() == 1; }));
    CHECK(failed.load() == 1);
  }
}

TEST_CASE("retries without a delay, and with next to none, lose no event and keep the order",
          "[failing_handler][load]") {
  for (const auto where : everywhere) {
    for (const auto delay : {0ns, 1000ns}) {
      testing::recording_logger log;
      bus on({.workers = 2, .logger = log.logger()});
      auto numbers = on.topic<std::size_t>("numbers");
      const std::size_t count = scaled(2000);
      std::size_t next = 0;
      int failures = 0, faults = 0;
      auto subscribed = numbers.subscribe(
          [&](std::size_t n) {
            if (n != next) ++faults;
            if (++failures <= 2) throw std::runtime_error("again");
            failures = 0;
            ++next;
          },
          {.run_on = where, .on_error = on_error::retry(2, delay, 1.0)});
      for (std::size_t n = 0; n < count; ++n) numbers.publish(n);
      REQUIRE(on.flush(20s));
      subscribed.cancel();
      CHECK(next == count);
      CHECK(faults == 0);
      CHECK(on.close(20s).totals.failed == 0);
    }
  }
}

TEST_CASE("subscriptions are cancelled in the middle of their retries, and the accounts add up",
          "[failing_handler][load]") {
  testing::recording_logger log;
  bus on({.workers = 2, .logger = log.logger()});
  auto numbers = on.topic<std::size_t>("numbers");
  std::atomic<std::size_t> calls{0};
  for (std::size_t round = 0; round < scaled(200); ++round) {
    const auto before = calls.load();
    auto subscribed = numbers.subscribe(
        [&](std::size_t) {
          calls.fetch_add(1);
          throw std::runtime_error("again");
        },
        {.run_on = everywhere[round % everywhere.size()], .on_error = on_error::retry(1000, 1us, 1.0)});
    for (std::size_t n = 0; n < 3; ++n) numbers.publish(n);
    REQUIRE(eventually([&] { return calls.load() > before; }));
    subscribed.cancel();
    const auto after = calls.load();
    numbers.publish(4);
    CHECK(calls.load() == after);
  }
  CHECK(on.close(20s).totals.adds_up());
}
