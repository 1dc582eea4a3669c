// Names, types and the end of requests; requests from inside handlers.
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

namespace {

template <class Reply>
std::error_code failure_of(std::future<Reply>& of) {
  if (of.wait_for(0s) != std::future_status::ready) return errc::would_block;
  return error_of([&] { static_cast<void>(of.get()); });
}

int twice(int n) { return 2 * n; }

}  // namespace

TEST_CASE("request names are a space of their own: no topic of the same name, no pattern sees them", "[request]") {
  manual_bus on;
  std::vector<std::string> seen;
  const auto observes = on.bus.observe(">", [&](const metadata& m, std::type_index) { seen.emplace_back(m.topic); });
  const auto pattern = on.bus.subscribe<int>(">", [&](const int&) { seen.emplace_back("an int"); });
  auto topic = on.bus.topic<std::string>("twice");
  const auto s = on.bus.respond<int, int>("twice", twice);
  auto r = on.bus.request<int>("twice", 21, 1s);
  on.run();
  CHECK(r.get() == 42);
  CHECK(seen.empty());
  CHECK(on.bus.snapshot().topics.size() == 1);
  topic.publish("text");
  on.run();
  CHECK(seen == std::vector<std::string>{"twice"});
}

TEST_CASE("an invalid name is the caller's mistake, on both sides", "[request]") {
  manual_bus on;
  for (const auto* name : {"", "a b", "a.*", "a.>", ".a"}) {
    CAPTURE(name);
    CHECK(error_of([&] { static_cast<void>(on.bus.request<int>(name, 1, 1s)); }) == errc::invalid_topic);
    CHECK(error_of([&] { static_cast<void>(on.bus.respond<int, int>(name, twice)); }) == errc::invalid_topic);
  }
  CHECK(on.bus.snapshot().pending_requests == 0);
}

TEST_CASE("another request or reply type than the responder's is errc::type_mismatch", "[request]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  CHECK(error_of([&] { static_cast<void>(on.bus.request<int>("twice", 1L, 1s)); }) == errc::type_mismatch);
  CHECK(error_of([&] { static_cast<void>(on.bus.request<std::string>("twice", 1, 1s)); }) == errc::type_mismatch);
  CHECK(error_of([&] { static_cast<void>(on.bus.respond<int, double>("twice", twice)); }) == errc::type_mismatch);
  CHECK(on.bus.snapshot().pending_requests == 0);
}

TEST_CASE("a responder neither replays, nor retries, nor runs inside the topic", "[request]") {
  manual_bus on;
  const auto refused = [&](subscribe_options options) {
    return error_of([&] { static_cast<void>(on.bus.respond<int, int>("twice", twice, options)); });
  };
  CHECK(refused({.from = replay::all()}) == errc::invalid_argument);
  CHECK(refused({.run_on = run_on::topic}) == errc::invalid_argument);
  CHECK(refused({.on_error = on_error::retry(1, 1ms)}) == errc::invalid_argument);
}

TEST_CASE("responders may share by key, and filter", "[request]") {
  manual_bus on;
  int odd = 0;
  const subscribe_options keyed{.where = [](const metadata& m) { return m.headers.contains("ask"); }};
  const auto s = on.bus.respond<int, int>(
      "twice", [&](int n) { return odd += n % 2, 2 * n; }, keyed);
  auto kept = on.bus.request<int>("twice", 1, 1h, {{"ask", "please"}});
  auto filtered = on.bus.request<int>("twice", 3, 1h);
  on.run();
  CHECK(kept.get() == 2);
  CHECK(failure_of(filtered) == errc::no_responders);
  CHECK(odd == 1);
}

TEST_CASE("requests after close are errc::closed", "[request]") {
  manual_bus on;
  const auto s = on.bus.respond<int, int>("twice", twice);
  on.bus.close(1s);
  auto known = on.bus.request<int>("twice", 1, 1s);
  auto unknown = on.bus.request<int>("thrice", 1, 1s);
  CHECK(failure_of(known) == errc::closed);
  CHECK(failure_of(unknown) == errc::closed);
  CHECK(error_of([&] { static_cast<void>(on.bus.respond<int, int>("late", twice)); }) == errc::closed);
  CHECK(on.bus.snapshot().pending_requests == 0);
}

TEST_CASE("requests on their way when the bus closes are answered, or errc::closed by its deadline", "[request]") {
  std::optional<manual_bus> on(std::in_place);
  auto s = on->bus.respond<int, int>("twice", twice);
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(on->bus.request<int>("twice", i, 1h));
  SECTION("answered") {
    CHECK(on->bus.close(1s).drained);
    for (int i = 0; i < 100; ++i) CHECK(waiting[static_cast<std::size_t>(i)].get() == 2 * i);
  }
  SECTION("closed, by close with its deadline") {
    s.pause();
    const auto start = on->engine->now();
    on->bus.close(1s);
    CHECK(on->engine->now() - start <= 1s);
    for (auto& each : waiting) CHECK(failure_of(each) == errc::closed);
  }
  SECTION("closed, by abort") {
    on->bus.abort();
    for (auto& each : waiting) CHECK(failure_of(each) == errc::closed);
  }
  SECTION("closed, by the end of the bus") {
    s.pause();
    on.reset();
    for (auto& each : waiting) CHECK(failure_of(each) == errc::closed);
  }
}

TEST_CASE("requests are part of the accounts", "[request]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto s = on.bus.respond<int, int>("even", [](int n) {
    if (n % 2 != 0) throw std::runtime_error("odd");
    return n;
  });
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 50; ++i) waiting.push_back(on.bus.request<int>("even", i, 1h));
  on.run();
  const auto totals = on.bus.close(1s).totals;
  CHECK(totals.adds_up());
  CHECK(totals.accepted == 50);
  CHECK(totals.delivered == 50);
  CHECK(totals.failed == 25);
}

TEST_CASE("a handler may send requests: it never waits, and responders may ask others", "[request]") {
  manual_bus on;
  std::vector<std::future<int>> asked;
  const auto twice_it = on.bus.respond<int, int>("twice", twice);
  std::optional<std::future<int>> inner;
  const auto asks_on = on.bus.respond<int, int>("asks", [&](int n) {
    inner = on.bus.request<int>("twice", n, 1s);
    return n;
  });
  const auto handler = on.bus.subscribe<int>("numbers", [&](int n) {
    for (int i = 0; i < 3000; ++i) asked.push_back(on.bus.request<int>("twice", n + i, 1s));  // more than a lane holds
  });
  on.bus.topic<int>("numbers").publish(1);
  auto outer = on.bus.request<int>("asks", 5, 1s);
  on.run();
  CHECK(outer.get() == 5);
  REQUIRE(inner.has_value());
  CHECK(inner->get() == 10);
  REQUIRE(asked.size() == 3000);
  int wrong = 0;
  for (int i = 0; i < 3000; ++i) wrong += asked[static_cast<std::size_t>(i)].get() != 2 * (1 + i);
  CHECK(wrong == 0);
}

TEST_CASE("a request that its sender gave up on is answered without harm", "[request]") {
  manual_bus on;
  int answered = 0;
  const auto s = on.bus.respond<int, int>("twice", [&](int n) { return ++answered, 2 * n; });
  { auto forgotten = on.bus.request<int>("twice", 1, 1s); }
  on.advance(1min);
  CHECK(answered == 1);
  CHECK(on.bus.snapshot().pending_requests == 0);
}
