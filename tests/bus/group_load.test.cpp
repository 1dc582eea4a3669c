// Groups under load on the real engine: nothing lost, nothing doubled, keys in order.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::eventually;
using testing::scaled;

namespace {

/// How often each number was handled.
class tally {
 public:
  explicit tally(std::size_t numbers) : calls_(numbers) {}
  void count(std::size_t number) {
    calls_[number].fetch_add(1, std::memory_order_relaxed);
    total_.fetch_add(1, std::memory_order_release);
  }
  std::size_t total() const { return total_.load(std::memory_order_acquire); }
  bool each_once() const {
    for (const auto& each : calls_) {
      if (each.load(std::memory_order_relaxed) != 1) return false;
    }
    return true;
  }

 private:
  std::vector<std::atomic<int>> calls_;
  std::atomic<std::size_t> total_{0};
};

void publish_from(const topic<std::size_t>& to, std::size_t threads, std::size_t each) {
  std::vector<std::thread> publishing;
  for (std::size_t t = 0; t < threads; ++t) {
    publishing.emplace_back([out = to.publisher(), t, each]() mutable {
      for (std::size_t i = 0; i < each; ++i) out.publish(t * each + i);
    });
  }
  for (auto& each_thread : publishing) each_thread.join();
}

}  // namespace

TEST_CASE("many members share many events, nothing lost and nothing doubled", "[group][load]") {
  const std::size_t each = scaled(20'000);
  tally seen(4 * each);
  bus on({.workers = 4});
  auto jobs = on.topic<std::size_t>("jobs");
  std::vector<subscription> members;
  for (int i = 0; i < 10; ++i) {
    members.push_back(jobs.subscribe([&](std::size_t n) { seen.count(n); },
                                     {.run_on = i == 0 ? run_on::own_thread : run_on::pool, .group = "workers"}));
  }
  publish_from(jobs, 4, each);
  REQUIRE(on.flush(20s));
  CHECK(seen.total() == 4 * each);
  CHECK(seen.each_once());
  CHECK(on.close(20s).totals.adds_up());
}

TEST_CASE("members come, go, pause and resume under load, nothing lost and nothing doubled", "[group][load]") {
  const std::size_t each = scaled(10'000);
  tally seen(3 * each);
  bus on({.workers = 3});
  auto jobs = on.topic<std::size_t>("jobs");
  const auto handler = [&](std::size_t n) { seen.count(n); };
  const auto stays = jobs.subscribe(handler, {.group = "workers"});
  std::atomic<bool> stop{false};
  std::thread restless([&] {
    std::vector<subscription> guests(4);
    for (std::size_t i = 0; !stop.load(); ++i) {
      auto& guest = guests[i % guests.size()];
      guest = jobs.subscribe(handler, {.group = "workers"});
      auto& other = guests[(i + 1) % guests.size()];
      other.pause();
      guests[(i + 2) % guests.size()].resume();
      std::this_thread::yield();
    }
  });
  publish_from(jobs, 3, each);
  stop.store(true);
  restless.join();
  CHECK(eventually([&] { return seen.total() >= 3 * each; }));
  CHECK(seen.each_once());
  CHECK(on.close(20s).totals.adds_up());
}

TEST_CASE("members that fail and retry under load lose nothing", "[group][load]") {
  testing::recording_logger log;
  const std::size_t each = scaled(5'000);
  tally seen(2 * each);
  std::vector<std::atomic<int>> attempts(2 * each);
  bus on({.workers = 3, .logger = log.logger()});
  auto jobs = on.topic<std::size_t>("jobs");
  std::vector<subscription> members;
  for (int i = 0; i < 4; ++i) {
    members.push_back(jobs.subscribe(
        [&](std::size_t n) {
          if (n % 10 == 0 && attempts[n].fetch_add(1) < 2) throw std::runtime_error("again");
          seen.count(n);
        },
        {.group = "workers", .on_error = on_error::retry(2, 0ns)}));
  }
  publish_from(jobs, 2, each);
  CHECK(eventually([&] { return seen.total() >= 2 * each; }));
  CHECK(seen.each_once());
  REQUIRE(on.flush(20s));
  const auto totals = on.close(20s).totals;
  CHECK(totals.adds_up());
  CHECK(totals.failed == 0);
}

TEST_CASE("keys keep their order under load while members come and go and some retry", "[group][load]") {
  testing::recording_logger log;
  constexpr std::size_t keys = 16;
  const std::size_t each = scaled(10'000) / keys * keys;
  struct chain {
    std::atomic<bool> busy{false};
    std::size_t next = 0;
    bool failed_once = false;
  };
  std::vector<chain> chains(keys);
  std::atomic<std::size_t> handled{0};
  std::atomic<int> faults{0};
  const auto handler = [&](std::size_t n) {
    chain& mine = chains[n % keys];
    if (mine.busy.exchange(true)) faults.fetch_add(1);
    const bool fails = n % 100 == 0 && !std::exchange(mine.failed_once, true);
    if (!fails) {
      if (n / keys != mine.next++) faults.fetch_add(1);
      mine.failed_once = false;
      handled.fetch_add(1);
    }
    mine.busy.store(false);
    if (fails) throw std::runtime_error("again");
  };
  bus on({.workers = 3, .logger = log.logger()});
  auto jobs = on.topic<std::size_t>("jobs");
  const subscribe_options keyed{
      .group = "workers", .on_error = on_error::retry(3, 10us), .key = [](const std::size_t& n) { return n % keys; }};
  const auto stays = jobs.subscribe(handler, keyed);
  std::atomic<bool> stop{false};
  std::thread restless([&] {
    std::vector<subscription> guests(3);
    for (std::size_t i = 0; !stop.load(); ++i) guests[i % guests.size()] = jobs.subscribe(handler, keyed);
  });
  publish_from(jobs, 1, each);
  stop.store(true);
  restless.join();
  CHECK(eventually([&] { return handled.load() >= each; }));
  CHECK(handled.load() == each);
  CHECK(faults.load() == 0);
  CHECK(on.close(20s).totals.adds_up());
}

TEST_CASE("when the last member was cancelled, its group's filter is not running and never called again",
          "[group][load]") {
  testing::gate gate;
  bus on({.workers = 2});
  auto jobs = on.topic<std::size_t>("jobs");
  std::atomic<bool> running{false}, returned{false};
  const filter where = [&](const metadata&) {
    running.store(true);
    gate.pass();
    running.store(false);
    return false;
  };
  auto last = jobs.subscribe([](std::size_t) {}, {.group = "workers", .where = where});
  jobs.publish(1);
  REQUIRE(gate.reached());
  bool still_running = true;
  std::thread cancelling([&] {
    last.cancel();
    still_running = running.load();
    returned.store(true);
  });
  const auto has_left = [&] {
    const auto now = on.snapshot().subscriptions;
    return returned.load() || now.empty() || now.front().members == 0;
  };
  CHECK(eventually(has_left));
  for (int i = 0; i < 1000 && !returned.load(); ++i) std::this_thread::yield();
  gate.open();
  cancelling.join();
  CHECK_FALSE(still_running);
}
