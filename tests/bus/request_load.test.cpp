// Requests on the real engine.
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/detached.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::detached;
using testing::error_of;
using testing::eventually;
using testing::scaled;

namespace {

int twice(int n) { return 2 * n; }

template <class Reply>
bool arrives(const std::future<Reply>& what) {
  return what.wait_for(20s) == std::future_status::ready;
}

}  // namespace

TEST_CASE("a request times out on time while every worker is busy", "[request][load]") {
  testing::gate gate;
  bus on({.workers = 2});
  const auto s = on.respond<int, int>("busy", [&](int n) { return gate.pass(), n; });
  const auto t = on.respond<int, int>("busy", [&](int n) { return gate.pass(), n; });
  const testing::opens_at_the_end opens(gate);
  std::vector<std::future<int>> holding;
  for (int i = 0; i < 2; ++i) holding.push_back(on.request<int>("busy", i, 1h));
  REQUIRE(gate.reached());
  auto late = on.request<int>("busy", 2, 1ms);
  REQUIRE(arrives(late));
  CHECK(error_of([&] { late.get(); }) == errc::timeout);
  auto nobody = on.request<int>("nobody", 2, 1h);
  CHECK(nobody.wait_for(0s) == std::future_status::ready);
  for (const auto& each : holding) CHECK(each.wait_for(0s) != std::future_status::ready);
  gate.open();
  for (int i = 0; i < 2; ++i) {
    auto& each = holding[static_cast<std::size_t>(i)];
    REQUIRE(arrives(each));
    CHECK(each.get() == i);
  }
  CHECK(eventually([&] { return on.snapshot().late_replies == 1; }));
}

TEST_CASE("many threads ask many responders, and each request gets its own reply", "[request][load]") {
  const std::size_t each = scaled(5000);
  bus on({.workers = 2});
  std::vector<subscription> responders;
  for (int i = 0; i < 4; ++i) responders.push_back(on.respond<int, int>("twice", twice));
  std::atomic<int> wrong{0};
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&, t] {
      std::vector<std::future<int>> asked;
      for (std::size_t i = 0; i < each; ++i) asked.push_back(on.request<int>("twice", static_cast<int>(i) + t, 20s));
      for (std::size_t i = 0; i < each; ++i) {
        if (!arrives(asked[i]) || error_of([&] { wrong += asked[i].get() != 2 * (static_cast<int>(i) + t); })) ++wrong;
      }
    });
  }
  for (auto& each_thread : askers) each_thread.join();
  CHECK(wrong.load() == 0);
  CHECK(on.snapshot().pending_requests == 0);
  CHECK(on.close(20s).totals.adds_up());
}

TEST_CASE("responders come and go under load: every request is answered or fails, none is forgotten",
          "[request][load]") {
  const std::size_t count = scaled(5000);
  bus on({.workers = 2});
  std::atomic<bool> stop{false};
  std::thread restless([&] {
    std::vector<subscription> responders(2);
    for (std::size_t i = 0; !stop.load(); ++i) {
      responders[i % 2] = on.respond<int, int>("twice", twice);
      if (i % 5 == 0) responders[(i + 1) % 2].cancel();
      if (i % 7 == 0) responders[i % 2].cancel();
      std::this_thread::yield();
    }
  });
  std::vector<std::future<int>> asked;
  for (std::size_t i = 0; i < count; ++i) asked.push_back(on.request<int>("twice", static_cast<int>(i), 1h));
  std::size_t answered = 0, without = 0, forgotten = 0, other = 0;
  for (auto& each : asked) {
    if (!arrives(each)) {
      ++forgotten;
      break;
    }
    const auto why = error_of([&] { static_cast<void>(each.get()); });
    ++(!why ? answered : why == errc::no_responders ? without : other);
  }
  stop.store(true);
  restless.join();
  CHECK(forgotten == 0);
  CHECK(other == 0);
  CHECK(answered + without == count);
  CHECK(on.snapshot().pending_requests == 0);
}

TEST_CASE("a bus that closes under load answers or fails every request", "[request][load]") {
  for (std::size_t round = 0; round < scaled(20); ++round) {
    std::vector<std::future<int>> asked;
    std::atomic<std::size_t> called{0}, sent{0};
    {
      bus on({.workers = 2});
      const auto s = on.respond<int, int>("twice", twice);
      std::thread asker([&] {
        for (int i = 0; i < 2000; ++i) {
          asked.push_back(on.request<int>("twice", i, 1h));
          on.request_async<int>("twice", i, 1h, [&](const reply<int>&) { called.fetch_add(1); });
          sent.fetch_add(1);
        }
      });
      while (sent.load() < 50 * round) std::this_thread::yield();
      if (round % 2 == 0) {
        on.close(5s);
      } else {
        on.abort();
      }
      asker.join();
    }
    std::size_t wrong = 0;
    for (auto& each : asked) {
      if (!arrives(each)) {
        ++wrong;
        break;
      }
      const auto why = error_of([&] { static_cast<void>(each.get()); });
      if (why && why != errc::closed && why != errc::no_responders) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(called.load() == sent.load());
  }
}

TEST_CASE("thousands of coroutines await replies, resumed on workers or on a thread of the user's",
          "[request_async][load]") {
  const std::size_t count = scaled(5000);
  bus on({.workers = 2});
  const auto s = on.respond<int, int>("twice", twice);
  std::mutex mutex;
  std::vector<std::function<void()>> for_this_thread;
  std::atomic<std::size_t> on_workers{0}, here{0}, wrong{0};
  const auto this_thread = std::this_thread::get_id();
  const auto ask = [&](int n, bool comes_here) -> detached {
    std::function<void(std::function<void()>)> where;
    if (comes_here) {
      where = [&](std::function<void()> resume) {
        std::lock_guard lock(mutex);
        for_this_thread.push_back(std::move(resume));
      };
    }
    const auto r = co_await on.request_async<int>("twice", n, 1h, {}, where);
    if (!r || *r != 2 * n) wrong.fetch_add(1);
    if (comes_here != (std::this_thread::get_id() == this_thread)) wrong.fetch_add(1);
    (comes_here ? here : on_workers).fetch_add(1);
  };
  for (std::size_t i = 0; i < count; ++i) ask(static_cast<int>(i), i % 2 == 0);
  CHECK(eventually([&] {
    std::vector<std::function<void()>> now;
    {
      std::lock_guard lock(mutex);
      now.swap(for_this_thread);
    }
    for (const auto& resume : now) resume();
    return here.load() + on_workers.load() == count;
  }));
  CHECK(wrong.load() == 0);
}
