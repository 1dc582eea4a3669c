#include <bus/run_on.hpp>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/gate.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

auto every_way() { return GENERATE(run_on::pool, run_on::topic, run_on::own_thread); }

struct takes_both {
  int* events;
  int* values;
  void operator()(const event<int>&) { ++*events; }
  void operator()(const int&) { ++*values; }
};

/// Notes, when it is destroyed for good, whether a call was running.
class witness {
 public:
  witness(std::atomic<int>& running, std::atomic<int>& destroyed) : running_(&running), destroyed_(&destroyed) {}
  witness(witness&& other) noexcept : running_(other.running_), destroyed_(std::exchange(other.destroyed_, nullptr)) {}
  witness& operator=(witness&&) = delete;
  ~witness() {
    if (destroyed_ != nullptr) *destroyed_ += *running_ == 0 ? 1 : 1000;
  }
  std::atomic<int>& running() const { return *running_; }

 private:
  std::atomic<int>* running_;
  std::atomic<int>* destroyed_;
};

}  // namespace

TEST_CASE("a handler is never called concurrently with itself and each call sees the writes of the last", "[run_on]") {
  const auto where = every_way();
  const std::size_t each = scaled(20'000);
  constexpr std::size_t publishers = 3;
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  std::size_t calls = 0;  // plain: every call reads what the last one wrote
  actorbus::bus bus;
  auto topic = bus.topic<std::size_t>("run.on");
  auto subscription = topic.subscribe(
      [&](const std::size_t&) {
        if (inside.fetch_add(1) != 0) overlapped = true;
        ++calls;
        inside.fetch_sub(1);
      },
      {.run_on = where});
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < publishers; ++p) {
    threads.emplace_back([&] {
      auto out = topic.publisher();
      for (std::size_t i = 0; i < each; ++i) out.publish(i);
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(bus.flush(20s));
  subscription.cancel();
  CHECK_FALSE(overlapped);
  CHECK(calls == publishers * each);
}

TEST_CASE("a handler on a pattern is never called concurrently with itself", "[run_on]") {
  const auto where = every_way();
  const std::size_t each = scaled(10'000);
  std::size_t calls = 0;
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  actorbus::bus bus;
  auto subscription = bus.subscribe<std::size_t>("many.*",
                                                 [&](const std::size_t&) {
                                                   if (inside.fetch_add(1) != 0) overlapped = true;
                                                   ++calls;
                                                   inside.fetch_sub(1);
                                                 },
                                                 {.run_on = where});
  std::vector<std::thread> threads;
  for (const char* name : {"many.a", "many.b", "many.c"}) {
    threads.emplace_back([&, name] {
      auto topic = bus.topic<std::size_t>(name);
      for (std::size_t i = 0; i < each; ++i) topic.publish(i);
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(bus.flush(20s));
  subscription.cancel();
  CHECK_FALSE(overlapped);
  CHECK(calls == 3 * each);
}

TEST_CASE("a move-only handler works", "[run_on]") {
  const auto where = every_way();
  std::atomic<int> sum{0};
  actorbus::bus bus;
  auto topic = bus.topic<int>("move.only");
  auto subscription = topic.subscribe(
      [&sum, factor = std::make_unique<int>(10)](const int& i) mutable { sum += i * *factor; }, {.run_on = where});
  topic.publish(1);
  topic.publish(2);
  REQUIRE(bus.flush(20s));
  CHECK(sum == 30);
}

TEST_CASE("a handler is tried with the event, then with the value", "[run_on]") {
  const auto where = every_way();
  int events = 0;
  int values = 0;
  actorbus::bus bus;
  auto topic = bus.topic<int>("both");
  auto subscription = topic.subscribe(takes_both{&events, &values}, {.run_on = where});
  topic.publish(1);
  REQUIRE(bus.flush(20s));
  subscription.cancel();
  CHECK(events == 1);
  CHECK(values == 0);
}

TEST_CASE("a callable is destroyed once, after its last call ended", "[run_on]") {
  const auto where = every_way();
  gate held;
  std::atomic<int> running{0};
  std::atomic<int> destroyed{0};
  actorbus::bus bus;
  auto topic = bus.topic<int>("destroyed");
  auto subscription = topic.subscribe(
      [&held, sees = witness(running, destroyed)](const int&) {
        ++sees.running();
        held.pass();
        --sees.running();
      },
      {.run_on = where});
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  std::atomic<bool> cancelling{false};
  std::thread canceller([&] {
    cancelling = true;
    subscription.cancel();
  });
  const bool began = eventually([&] { return cancelling && !subscription.active(); });
  const int early = destroyed;
  held.open();
  canceller.join();
  CHECK(began);
  CHECK(early == 0);
  CHECK(destroyed == 1);
}

TEST_CASE("a handler on its own thread is called on one thread that no other handler uses", "[run_on]") {
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("threads");
  std::set<std::thread::id> first;
  std::set<std::thread::id> second;
  std::set<std::thread::id> pool;
  auto a =
      topic.subscribe([&](const int&) { first.insert(std::this_thread::get_id()); }, {.run_on = run_on::own_thread});
  auto b =
      topic.subscribe([&](const int&) { second.insert(std::this_thread::get_id()); }, {.run_on = run_on::own_thread});
  auto c = topic.subscribe([&](const int&) { pool.insert(std::this_thread::get_id()); });
  for (int i = 0; i < 200; ++i) {
    topic.publish(i);
    if (i % 20 == 0) REQUIRE(bus.flush(20s));
  }
  REQUIRE(bus.flush(20s));
  a.cancel();
  b.cancel();
  c.cancel();
  REQUIRE(first.size() == 1);
  REQUIRE(second.size() == 1);
  CHECK(first != second);
  CHECK(pool.count(*first.begin()) == 0);
  CHECK(pool.count(*second.begin()) == 0);
  CHECK(pool.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("a handler that takes long on its own thread holds no worker", "[run_on]") {
  gate held;
  std::atomic<int> handled{0};
  actorbus::bus bus{bus_options{.workers = 1}};
  auto slow = bus.topic<int>("slow");
  auto fast = bus.topic<int>("fast");
  auto a = slow.subscribe([&](const int&) { held.pass(); }, {.run_on = run_on::own_thread});
  auto b = fast.subscribe([&](const int&) { ++handled; });
  const opens_at_the_end opens(held);
  slow.publish(1);
  REQUIRE(held.reached());
  for (int i = 0; i < 100; ++i) fast.publish(i);
  CHECK(eventually([&] { return handled == 100; }));
}

TEST_CASE("a handler on the topic runs inside it: while it runs nothing is appended", "[run_on]") {
  gate held;
  actorbus::bus bus;
  auto topic = bus.topic<int>("inside");
  auto inbox = topic.inbox();
  auto subscription = topic.subscribe([&](const int&) { held.pass(); }, {.run_on = run_on::topic});
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  topic.publish(2);
  CHECK(inbox.poll([](const int&) {}) == 1);
  CHECK(inbox.poll([](const int&) {}) == 0);
  held.open();
  const auto next = inbox.next(20s);
  REQUIRE(next);
  CHECK(**next == 2);
}
