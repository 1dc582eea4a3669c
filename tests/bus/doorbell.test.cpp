#include <bus/doorbell.hpp>

#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/stress.hpp"

using actorbus::core::doorbell;

TEST_CASE("only the ring that finds the owner idle wakes it", "[doorbell]") {
  doorbell bell;
  CHECK(bell.ring());
  CHECK_FALSE(bell.ring());
  CHECK(bell.begin());
  CHECK_FALSE(bell.ring());
  bell.rest();
  CHECK(bell.ring());
}

TEST_CASE("a woken owner may run once", "[doorbell]") {
  doorbell bell;
  CHECK_FALSE(bell.begin());
  bell.ring();
  CHECK(bell.begin());
  CHECK_FALSE(bell.begin());
  CHECK(bell.is_running());
}

TEST_CASE("the right to run can be taken unless somebody runs", "[doorbell]") {
  doorbell idle, rung, stalled;
  rung.ring();
  REQUIRE(stalled.take());
  stalled.stall();
  for (doorbell* each : {&idle, &rung, &stalled}) {
    CHECK(each->take());
    CHECK(each->is_running());
    CHECK_FALSE(each->take());
  }
}

TEST_CASE("a wake-up whose right was taken finds nothing to do", "[doorbell]") {
  doorbell bell;
  bell.ring();
  REQUIRE(bell.take());
  bell.rest();
  CHECK_FALSE(bell.begin());
}

TEST_CASE("taking the idle right leaves a rung or a stalled owner alone", "[doorbell]") {
  doorbell bell;
  CHECK(bell.take_idle());
  bell.stall();
  CHECK_FALSE(bell.take_idle());
  CHECK(bell.ring_out());
  CHECK_FALSE(bell.take_idle());
}

TEST_CASE("more work does not ring a stalled owner, room does", "[doorbell]") {
  doorbell bell;
  bell.take();
  bell.stall();
  CHECK(bell.is_stalled());
  CHECK_FALSE(bell.ring());
  CHECK(bell.ring_out());
  CHECK_FALSE(bell.ring_out());
  CHECK(bell.begin());
}

TEST_CASE("ringing out wakes an idle owner too", "[doorbell]") {
  doorbell bell;
  CHECK(bell.is_idle());
  CHECK(bell.ring_out());
  CHECK_FALSE(bell.is_idle());
}

TEST_CASE("an owner that goes again keeps its right and hears no further ring", "[doorbell]") {
  doorbell bell;
  bell.take();
  bell.again();
  CHECK_FALSE(bell.ring());
  CHECK_FALSE(bell.ring_out());
  CHECK(bell.begin());
}

TEST_CASE("one runs at a time, and each sees what the last one wrote", "[doorbell][stress]") {
  constexpr std::size_t threads = 4;
  const std::size_t rounds = actorbus::testing::scaled(20'000);
  doorbell bell;
  std::uint64_t guarded = 0;  // plain: the bell's order is all it has
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      for (std::size_t done = 0; done < rounds;) {
        if (!bell.take()) {
          std::this_thread::yield();
          continue;
        }
        ++guarded;
        ++done;
        if (done % 2 == 0) {
          bell.rest();
        } else {
          bell.stall();
        }
      }
    });
  }
  for (auto& each : all) each.join();
  CHECK(guarded == threads * rounds);
}

TEST_CASE("no ring is lost between a rest and the second look", "[doorbell][stress]") {
  const std::uint64_t count = actorbus::testing::scaled(200'000);
  doorbell bell;
  std::atomic<std::uint64_t> work{0};
  std::atomic<std::uint64_t> wakes{0};
  std::atomic<bool> gave_up{false};
  std::thread owner([&] {
    std::uint64_t seen = 0;
    for (std::uint64_t woken = 0; seen < count;) {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
      while (wakes.load() == woken && !gave_up) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() > deadline) gave_up = true;
      }
      if (gave_up) return;
      ++woken;
      if (!bell.begin()) continue;
      seen = work.load(std::memory_order_acquire);
      bell.rest();
      if (work.load(std::memory_order_relaxed) != seen && bell.ring()) ++wakes;
    }
  });
  for (std::uint64_t i = 1; i <= count; ++i) {
    work.store(i, std::memory_order_release);
    if (bell.ring()) ++wakes;
  }
  owner.join();
  CHECK_FALSE(gave_up);
}
