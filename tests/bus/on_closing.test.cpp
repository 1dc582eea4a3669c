#include <bus/closing_hook.hpp>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/gate.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

TEST_CASE("a closing bus calls each on_closing hook once, when it is quiet, with the time that is left",
          "[on_closing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  story told;
  const auto s = topic.subscribe(told.handler());
  int calls = 0;
  const auto hook = on.bus.on_closing([&](std::chrono::nanoseconds left) {
    ++calls;
    CHECK(told.lines() == lines{"1"});
    CHECK(left > 4s);
    CHECK(left <= 5s);
  });
  topic.publish(1);
  CHECK(on.bus.close(5s).drained);
  on.bus.close(5s);
  CHECK(calls == 1);
}

TEST_CASE("what an on_closing hook publishes is still delivered", "[on_closing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  story told;
  const auto s = topic.subscribe(told.handler());
  const auto hook = on.bus.on_closing([&](std::chrono::nanoseconds) { topic.publish(1); });
  CHECK(on.bus.close(5s).drained);
  CHECK(told.lines() == lines{"1", "finished: closed"});
}

TEST_CASE("hooks are called in the order of their registration, and a hook that throws keeps no other from its call",
          "[on_closing]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  std::string order;
  const auto a = on.bus.on_closing([&](std::chrono::nanoseconds) { order += 'a'; });
  const auto b = on.bus.on_closing([&](std::chrono::nanoseconds) {
    order += 'b';
    throw std::runtime_error("cannot flush");
  });
  const auto c = on.bus.on_closing([&](std::chrono::nanoseconds) { order += 'c'; });
  on.bus.close(1s);
  CHECK(order == "abc");
  CHECK(log.text().find("cannot flush") != std::string::npos);
}

TEST_CASE("a hook lasts as long as its handle, which may be moved", "[on_closing]") {
  manual_bus on;
  int calls = 0;
  const auto count = [&](std::chrono::nanoseconds) { ++calls; };
  closing_hook kept;
  {
    const auto gone = on.bus.on_closing(count);
    auto moved = on.bus.on_closing(count);
    kept = std::move(moved);
  }
  on.bus.close(1s);
  CHECK(calls == 1);
}

TEST_CASE("a hook's handle may outlive the bus", "[on_closing]") {
  closing_hook kept;
  {
    manual_bus on;
    kept = on.bus.on_closing([](std::chrono::nanoseconds) {});
  }
  SUCCEED();
}

TEST_CASE("abort does not call the hooks", "[on_closing]") {
  manual_bus on;
  bool called = false;
  const auto hook = on.bus.on_closing([&](std::chrono::nanoseconds) { called = true; });
  on.bus.abort();
  CHECK_FALSE(called);
}

TEST_CASE("hooks are called also when the bus does not become quiet in time, with no time left", "[on_closing]") {
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("c");
  const auto s =
      topic.subscribe([](const int&) { throw std::runtime_error("no"); }, {.on_error = on_error::retry(1000, 1min)});
  topic.publish(1);
  std::optional<std::chrono::nanoseconds> left;
  const auto hook = on.bus.on_closing([&](std::chrono::nanoseconds l) { left = l; });
  CHECK_FALSE(on.bus.close(1s).drained);
  CHECK(left == 0ns);
}

TEST_CASE("a hook is a handler: it cannot flush or close, and may cancel and take back itself", "[on_closing]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("c");
  auto s = topic.subscribe([](const int&) {});
  std::vector<std::error_code> why;
  std::optional<closing_hook> hook;
  hook = on.bus.on_closing([&](std::chrono::nanoseconds) {
    why.push_back(error_of([&] { on.bus.flush(1s); }));
    why.push_back(error_of([&] { on.bus.close(1s); }));
    s.cancel();
    hook.reset();
  });
  CHECK(on.bus.close(1s).drained);
  CHECK(why == std::vector<std::error_code>(2, errc::in_handler));
}

TEST_CASE("taking back a hook waits for its call, so that what it uses may go", "[on_closing]") {
  actorbus::bus bus;
  gate held;
  std::atomic<bool> ended{false};
  auto hook = std::make_optional(bus.on_closing([&](std::chrono::nanoseconds) {
    held.pass();
    ended = true;
  }));
  std::thread closer([&] { bus.close(20s); });
  const bool reached = held.reached();
  std::atomic<bool> taking{false};
  bool ended_first = false;
  std::thread taker([&] {
    taking = true;
    hook.reset();
    ended_first = ended;
  });
  while (!taking) std::this_thread::yield();
  held.open();
  taker.join();
  closer.join();
  CHECK(reached);
  CHECK(ended_first);
}
