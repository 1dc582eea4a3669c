#include <bus/wait_point.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/stress.hpp"

using actorbus::core::wait_point;

namespace {

wait_point::time_point in(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("whoever finds the condition true does not wait", "[wait_point]") {
  wait_point here;
  int looks = 0;
  CHECK(here.wait_until(wait_point::time_point::max(), [&] { return ++looks == 1; }));
  CHECK(looks == 1);
}

TEST_CASE("a wait ends at its deadline and says what it saw last", "[wait_point]") {
  wait_point here;
  CHECK_FALSE(here.wait_until(in(std::chrono::milliseconds{1}), [] { return false; }));
  CHECK_FALSE(here.wait_until(wait_point::time_point::min(), [] { return false; }));
}

TEST_CASE("a condition that came true without a notice is seen at the deadline", "[wait_point]") {
  wait_point here;
  int looks = 0;
  CHECK(here.wait_until(in(std::chrono::milliseconds{1}), [&] { return ++looks > 1; }));
}

TEST_CASE("notifying nobody does nothing", "[wait_point]") {
  wait_point here;
  here.publish();
  CHECK_FALSE(here.wait_until(wait_point::time_point::min(), [] { return false; }));
}

TEST_CASE("a notice wakes every waiter", "[wait_point]") {
  wait_point here;
  std::atomic<bool> open{false};
  std::atomic<int> passed{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 8; ++i) {
    waiters.emplace_back([&] {
      if (here.wait_until(in(std::chrono::seconds{20}), [&] { return open.load(); })) ++passed;
    });
  }
  open = true;
  here.publish();
  for (auto& each : waiters) each.join();
  CHECK(passed == 8);
}

TEST_CASE("no notice is lost between the last look and the sleep", "[wait_point][stress]") {
  const std::uint64_t rounds = actorbus::testing::scaled(20'000);
  wait_point here, there;
  std::atomic<std::uint64_t> ball{0};
  bool in_vain = false;
  std::thread other([&] {
    for (std::uint64_t i = 0; i < rounds; ++i) {
      if (!there.wait_until(in(std::chrono::seconds{20}), [&] { return ball.load(std::memory_order_acquire) > 2 * i; }))
        return;
      ball.store(2 * i + 2, std::memory_order_release);
      here.publish();
    }
  });
  for (std::uint64_t i = 0; i < rounds && !in_vain; ++i) {
    ball.store(2 * i + 1, std::memory_order_release);
    there.publish();
    in_vain = !here.wait_until(in(std::chrono::seconds{20}),
                               [&] { return ball.load(std::memory_order_acquire) > 2 * i + 1; });
  }
  other.join();
  CHECK_FALSE(in_vain);
}
