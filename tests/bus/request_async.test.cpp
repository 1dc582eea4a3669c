#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/detached.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::detached;
using testing::error_of;
using testing::manual_bus;

namespace {

int twice(int n) { return 2 * n; }

detached ask(bus& of, std::string name, int what, std::vector<std::string>& story) {
  try {
    const reply<int> r = co_await of.request_async<int>(name, what, 1s);
    story.push_back(r ? std::to_string(*r) : r.error().message());
  } catch (const bus_error& e) {
    story.push_back("thrown: " + e.code().message());
  }
}

std::string text(errc code) { return make_error_code(code).message(); }

}  // namespace

TEST_CASE("request_async calls back on a worker, never inside the call", "[request_async]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  std::vector<int> replies;
  for (int i = 0; i < 10; ++i) {
    on.bus.request_async<int>("twice", i, 1s, [&](reply<int> r) { replies.push_back(r.value()); });
  }
  CHECK(replies.empty());
  on.run();
  CHECK(replies == std::vector{0, 2, 4, 6, 8, 10, 12, 14, 16, 18});
}

TEST_CASE("the callback of request_async is a handler", "[request_async]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  std::error_code flushed;
  std::vector<int> replies;
  std::function<void(reply<int>)> again = [&](reply<int> r) {
    flushed = error_of([&] { static_cast<void>(on.bus.flush(1s)); });
    replies.push_back(r.value());
    if (replies.size() < 5) on.bus.request_async<int>("twice", r.value(), 1s, again);
  };
  on.bus.request_async<int>("twice", 1, 1s, again);
  on.run();
  CHECK(flushed == errc::in_handler);
  CHECK(replies == std::vector{2, 4, 8, 16, 32});
}

TEST_CASE("every failure of request_async arrives in its callback, once", "[request_async]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  std::vector<std::string> story;
  const auto tell = [&](reply<int> r) { story.push_back(r ? "fine" : r.error().message()); };
  on.bus.request_async<int>("nobody", 1, 1s, tell);
  on.run();
  auto s = on.bus.respond<int, int>("odd", [](int n) {
    if (n % 2 == 0) throw std::runtime_error("even");
    return n;
  });
  on.bus.request_async<int>("odd", 2, 1s, tell);
  on.run();
  s.pause();
  on.bus.request_async<int>("odd", 1, 1s, tell);
  on.advance(1s);
  on.bus.request_async<int>("odd", 1, 1h, tell);
  on.run();
  on.bus.abort();
  on.run();
  on.bus.request_async<int>("odd", 1, 1h, tell);
  on.run();
  CHECK(story == std::vector{text(errc::no_responders), text(errc::handler_failed), text(errc::timeout),
                             text(errc::closed), text(errc::closed)});
}

TEST_CASE("a callback that throws is logged, and the others are called", "[request_async]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  const auto s = on.bus.respond<int, int>("twice", twice);
  int calls = 0;
  for (int i = 0; i < 5; ++i) {
    on.bus.request_async<int>("twice", i, 1s, [&](const reply<int>&) {
      if (++calls == 2) throw std::runtime_error("a bad callback");
    });
  }
  on.run();
  CHECK(calls == 5);
  CHECK(log.text().find("a bad callback") != std::string::npos);
  CHECK(on.bus.close(1s).drained);
}

TEST_CASE("a callback that is due when the bus ends is called all the same", "[request_async]") {
  int calls = 0;
  std::shared_ptr<int> kept;
  {
    subscription s;  // outlives the bus
    manual_bus on;
    s = on.bus.respond<int, int>("twice", twice);
    s.pause();
    kept = std::make_shared<int>();
    on.bus.request_async<int>("twice", 1, 1h,
                              [&calls, kept](const reply<int>& r) { calls += r.error() == errc::closed; });
    on.bus.request_async<int>("nobody", 1, 1h,
                              [&calls, kept](const reply<int>& r) { calls += r.error() == errc::no_responders; });
  }
  CHECK(calls == 2);
  CHECK(kept.use_count() == 1);
}

TEST_CASE("close waits for the callbacks of requests that were answered", "[request_async]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  int sum = 0;
  for (int i = 1; i <= 10; ++i)
    on.bus.request_async<int>("twice", i, 1s, [&](const reply<int>& r) { sum += r.value(); });
  CHECK(on.bus.close(1s).drained);
  CHECK(sum == 110);
}

TEST_CASE("co_await request_async gives the reply, or why there is none", "[request_async]") {
  manual_bus on;
  std::vector<std::string> story;
  ask(on.bus, "twice", 1, story);
  CHECK(story.empty());
  on.run();
  auto s = on.bus.respond<int, int>("twice", twice);
  ask(on.bus, "twice", 21, story);
  on.run();
  s.pause();
  ask(on.bus, "twice", 21, story);
  on.advance(1s);
  CHECK(story == std::vector<std::string>{text(errc::no_responders), "42", text(errc::timeout)});
}

TEST_CASE("co_await request_async throws the mistakes of the caller where it is awaited", "[request_async]") {
  manual_bus on;
  std::vector<std::string> story;
  ask(on.bus, "not a name", 1, story);
  CHECK(story == std::vector{"thrown: " + text(errc::invalid_topic)});
}

TEST_CASE("an awaited reply resumes where it is told", "[request_async]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  std::vector<std::function<void()>> elsewhere;
  std::optional<int> got;
  [](bus& of, std::vector<std::function<void()>>& queue, std::optional<int>& result) -> detached {
    const auto r = co_await of.request_async<int>(
        "twice", 21, 1s, {}, [&queue](std::function<void()> resume) { queue.push_back(std::move(resume)); });
    result = r.value();
  }(on.bus, elsewhere, got);
  on.run();
  CHECK_FALSE(got.has_value());
  REQUIRE(elsewhere.size() == 1);
  elsewhere.front()();
  CHECK(got == 42);
}

TEST_CASE("an awaited reply may resume inside the call that tells it where", "[request_async]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  std::optional<int> got;
  std::string after;
  [](bus& of, std::optional<int>& result, std::string& later) -> detached {
    std::function<void(std::function<void()>)> here =
        [&later, own = std::string("this callable outlives the coroutine")](auto resume) {
          resume();
          later = own;
        };
    const auto r = co_await of.request_async<int>("twice", 21, 1s, {}, std::move(here));
    result = r.value();
  }(on.bus, got, after);
  on.run();
  CHECK(got == 42);
  CHECK(after == "this callable outlives the coroutine");
}

TEST_CASE("a coroutine asks again and again, with headers, through a move-only request", "[request_async]") {
  manual_bus on;
  const auto s =
      on.bus.respond<std::unique_ptr<int>, std::unique_ptr<int>>("step", [](const event<std::unique_ptr<int>>& e) {
        return std::make_unique<int>(**e + static_cast<int>(e.headers().get("by", "").size()));
      });
  std::vector<int> steps;
  [](bus& of, std::vector<int>& seen) -> detached {
    auto at = std::make_unique<int>(0);
    headers with;  // named: g++ 12 takes no braced list inside a co_await
    with.set("by", "xxx");
    for (int i = 0; i < 4; ++i) {
      auto r = co_await of.request_async<std::unique_ptr<int>>("step", std::move(at), 1s, with);
      at = std::move(r).value();
      seen.push_back(*at);
    }
  }(on.bus, steps);
  on.run();
  CHECK(steps == std::vector{3, 6, 9, 12});
}
