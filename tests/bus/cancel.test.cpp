#include <bus/subscription.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
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

/// What a cancelled handler must not do any more.
struct watched {
  std::atomic<bool> cancelled{false};
  std::atomic<int> inside{0};
  std::atomic<bool> called_after{false};
  std::atomic<std::size_t> calls{0};

  auto handler() {
    return [this](const int&) {
      inside.fetch_add(1);
      if (cancelled.load()) called_after = true;
      calls.fetch_add(1);
      inside.fetch_sub(1);
    };
  }
};

/// Publishes without end on a thread of its own, until it goes out of scope.
class load {
 public:
  explicit load(topic<int> to)
      : thread_([this, to]() mutable {
          auto out = to.publisher();
          for (int i = 0; !stop_.load(); ++i) static_cast<void>(out.publish_for(i, 1ms));
        }) {}
  ~load() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("when cancel returns outside handlers the handler is not running and is never called again", "[cancel]") {
  const auto where = every_way();
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("c");
  const load publishing(topic);
  for (std::size_t round = scaled(300); round != 0; --round) {
    watched what;
    subscription s = topic.subscribe(what.handler(), {.run_on = where});
    if (round % 3 != 0) REQUIRE(eventually([&] { return what.calls != 0; }));
    s.cancel();
    what.cancelled = true;
    REQUIRE(what.inside == 0);
    const std::size_t calls = what.calls;
    if (round % 16 == 0) REQUIRE(bus.flush(20s));
    REQUIRE(what.calls == calls);
    REQUIRE_FALSE(what.called_after);
  }
}

TEST_CASE("cancel waits for the call that is running", "[cancel]") {
  const auto where = every_way();
  gate held;
  actorbus::bus bus{bus_options{.workers = 2}};
  auto topic = bus.topic<int>("c");
  std::atomic<bool> ended{false};
  subscription s = topic.subscribe(
      [&](const int&) {
        held.pass();
        ended = true;
      },
      {.run_on = where});
  const opens_at_the_end opens(held);
  topic.publish(1);
  REQUIRE(held.reached());
  std::promise<bool> result;
  auto ended_first = result.get_future();
  std::thread canceller([&] {
    s.cancel();
    result.set_value(ended);
  });
  REQUIRE(eventually([&] { return !s.active(); }));  // it has begun
  held.open();
  const bool in_time = ended_first.wait_for(20s) == std::future_status::ready;
  canceller.join();
  REQUIRE(in_time);
  CHECK(ended_first.get());
}

TEST_CASE("when cancel returns the callable is destroyed", "[cancel]") {
  const auto where = every_way();
  actorbus::bus bus;
  auto topic = bus.topic<int>("c");
  const load publishing(topic);
  for (std::size_t round = scaled(100); round != 0; --round) {
    auto token = std::make_shared<int>(0);
    const std::weak_ptr<int> alive = token;
    subscription s = topic.subscribe([token = std::move(token)](const int&) {}, {.run_on = where});
    s.cancel();
    REQUIRE(alive.expired());
  }
}

TEST_CASE("several threads may cancel one subscription, and each finds it gone", "[cancel]") {
  actorbus::bus bus;
  auto topic = bus.topic<int>("c");
  const load publishing(topic);
  for (std::size_t round = scaled(100); round != 0; --round) {
    watched what;
    subscription s = topic.subscribe(what.handler());
    std::atomic<int> found_running{0};
    std::vector<std::thread> cancellers;
    for (int i = 0; i < 3; ++i) {
      cancellers.emplace_back([&] {
        s.pause();
        s.resume();
        s.cancel();
        what.cancelled = true;
        found_running += what.inside + (s.active() ? 1 : 0);
      });
    }
    for (auto& each : cancellers) each.join();
    REQUIRE(found_running == 0);
    REQUIRE_FALSE(what.called_after);
  }
}

TEST_CASE("cancel does not wait for other handlers, also on one worker", "[cancel]") {
  gate held;
  actorbus::bus bus{bus_options{.workers = 1}};
  auto busy = bus.topic<int>("busy");
  auto topic = bus.topic<int>("c");
  watched what;
  subscription s = topic.subscribe(what.handler());
  const subscription holder = busy.subscribe([&](const int&) { held.pass(); });
  const opens_at_the_end opens(held);
  busy.publish(1);
  REQUIRE(held.reached());
  topic.publish(1);  // its handler is woken, and waits for the worker
  std::promise<void> done;
  auto returned = done.get_future();
  std::thread canceller([&] {
    s.cancel();
    done.set_value();
  });
  const bool in_time = returned.wait_for(20s) == std::future_status::ready;
  held.open();
  canceller.join();
  CHECK(in_time);
  CHECK(what.calls == 0);
}

TEST_CASE("a pattern subscription that is cancelled while topics are made stalls none of them", "[cancel]") {
  actorbus::bus bus;
  for (std::size_t round = scaled(200); round != 0; --round) {
    const std::string name = "made." + std::to_string(round);
    std::atomic<bool> go{false};
    subscription s = bus.subscribe<int>("made.*", [](const int&) {});
    std::thread canceller([&] {
      while (!go) std::this_thread::yield();
      s.cancel();
    });
    go = true;
    auto topic = bus.topic<int>(name, {.capacity = 4, .lane = 4});
    canceller.join();
    bool accepted = true;
    for (int i = 0; i < 20; ++i) accepted = accepted && !topic.publish_for(i, 20s);
    REQUIRE(accepted);
  }
}

TEST_CASE("cancelling while its replay is being placed is safe", "[cancel]") {
  actorbus::bus bus;
  auto topic = bus.topic<std::string>("c", {.history = 500});
  for (int i = 0; i < 500; ++i) topic.publish(std::string(40, 'x'));
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) static_cast<void>(topic.publish_for("y", 1ms));
  });
  for (std::size_t round = scaled(500); round != 0; --round) {
    subscription s = topic.subscribe([](const std::string&) {}, {.from = replay::all()});
    if (round % 2 == 0) s.cancel();
  }
  stop = true;
  busy.join();
  CHECK(bus.flush(20s));
}
