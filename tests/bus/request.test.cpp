#include <bus/request.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
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
bool is_ready(const std::future<Reply>& of) {
  return of.wait_for(0s) == std::future_status::ready;
}

/// Why a request failed; success if it did not, errc::would_block if nothing is known yet.
template <class Reply>
std::error_code failure_of(std::future<Reply>& of) {
  if (!is_ready(of)) return errc::would_block;
  return error_of([&] { static_cast<void>(of.get()); });
}

int length(const std::string& t) { return static_cast<int>(t.size()); }

}  // namespace

TEST_CASE("a request comes back with its reply, typed both ways", "[request]") {
  manual_bus on;
  const auto lengths = on.bus.respond<std::string, int>("text.length", length);
  const auto texts =
      on.bus.respond<int, std::string>("text.of", [](int n) { return std::string(static_cast<std::size_t>(n), 'x'); });
  auto three = on.bus.request<int>("text.length", std::string{"abc"}, 1s);
  auto xxxx = on.bus.request<std::string>("text.of", 4, 1s);
  CHECK_FALSE(is_ready(three));
  on.run();
  REQUIRE(is_ready(three));
  CHECK(three.get() == 3);
  REQUIRE(is_ready(xxxx));
  CHECK(xxxx.get() == "xxxx");
}

TEST_CASE("a request keeps its headers, and its responder may take the event", "[request]") {
  manual_bus on;
  const auto s = on.bus.respond<int, std::string>("who", [](const event<int>& e) {
    return std::string(e.topic()) + ' ' + std::string(e.headers().get("user", "nobody")) + ' ' + std::to_string(*e);
  });
  auto anna = on.bus.request<std::string>("who", 1, 1s, {{"user", "anna"}});
  auto nobody = on.bus.request<std::string>("who", 2, 1s);
  on.run();
  CHECK(anna.get() == "who anna 1");
  CHECK(nobody.get() == "who nobody 2");
}

TEST_CASE("requests and replies may be move-only", "[request]") {
  manual_bus on;
  const auto s = on.bus.respond<std::unique_ptr<int>, std::unique_ptr<int>>(
      "twice", [](const std::unique_ptr<int>& p) { return std::make_unique<int>(2 * *p); });
  auto r = on.bus.request<std::unique_ptr<int>>("twice", std::make_unique<int>(21), 1s);
  on.run();
  CHECK(*r.get() == 42);
}

TEST_CASE("a request that nobody answers is errc::no_responders at once", "[request]") {
  manual_bus on;
  auto early = on.bus.request<int>("text.length", std::string{"abc"}, 1h);
  CHECK(failure_of(early) == errc::no_responders);
  on.bus.respond<std::string, int>("text.length", length).cancel();
  auto late = on.bus.request<int>("text.length", std::string{"abc"}, 1h);
  CHECK(failure_of(late) == errc::no_responders);
  CHECK(on.bus.snapshot().pending_requests == 0);
}

TEST_CASE("a request times out at its time, not a nanosecond before", "[request]") {
  manual_bus on;
  auto s = on.bus.respond<std::string, int>("text.length", length);
  s.pause();
  auto r = on.bus.request<int>("text.length", std::string{"abc"}, 10ms);
  on.advance(10ms - 1ns);
  CHECK_FALSE(is_ready(r));
  CHECK(on.bus.snapshot().pending_requests == 1);
  on.advance(1ns);
  CHECK(failure_of(r) == errc::timeout);
  CHECK(on.bus.snapshot().pending_requests == 0);
}

TEST_CASE("a request may wait for ever", "[request]") {
  manual_bus on;
  auto s = on.bus.respond<std::string, int>("text.length", length);
  s.pause();
  auto r = on.bus.request<int>("text.length", std::string{"abc"}, std::chrono::nanoseconds::max());
  on.advance(24h);
  CHECK_FALSE(is_ready(r));
  s.resume();
  on.run();
  CHECK(r.get() == 3);
}

TEST_CASE("late replies are dropped and counted", "[request]") {
  manual_bus on;
  auto s = on.bus.respond<std::string, int>("text.length", length);
  s.pause();
  std::vector<std::future<int>> late;
  for (int i = 0; i < 3; ++i) late.push_back(on.bus.request<int>("text.length", std::string{"abc"}, 10ms));
  on.advance(10ms);
  auto in_time = on.bus.request<int>("text.length", std::string{"abcd"}, 10ms);
  s.resume();
  on.run();
  for (auto& each : late) CHECK(failure_of(each) == errc::timeout);
  CHECK(in_time.get() == 4);
  CHECK(on.bus.snapshot().late_replies == 3);
}

TEST_CASE("a responder that throws fails its request with its text, and answers the next", "[request]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  const auto s = on.bus.respond<std::string, int>("text.length", [](const std::string& t) {
    if (t.empty()) throw std::runtime_error("an empty text");
    return length(t);
  });
  auto fails = on.bus.request<int>("text.length", std::string{}, 1s);
  auto works = on.bus.request<int>("text.length", std::string{"ab"}, 1s);
  on.run();
  std::string text;
  try {
    fails.get();
  } catch (const bus_error& e) {
    CHECK(e.code() == errc::handler_failed);
    text = e.what();
  }
  CHECK(text.find("an empty text") != std::string::npos);
  CHECK(text.find("text.length") != std::string::npos);
  CHECK(works.get() == 2);
  CHECK(s.active());
  CHECK(on.bus.snapshot().subscriptions.front().failed == 1);
  CHECK(log.text().find("an empty text") != std::string::npos);
}

TEST_CASE("responders of a name share its requests", "[request]") {
  manual_bus on;
  std::vector<int> answered(3);
  std::vector<subscription> responders;
  for (int& each : answered) {
    responders.push_back(on.bus.respond<int, int>("twice", [&](int n) { return ++each, 2 * n; }));
  }
  for (int i = 0; i < 300; ++i) {
    auto r = on.bus.request<int>("twice", i, 1s);
    on.run();
    REQUIRE(is_ready(r));
    CHECK(r.get() == 2 * i);
  }
  CHECK(answered[0] + answered[1] + answered[2] == 300);
  for (const int each : answered) CHECK(each > 0);
  CHECK(on.bus.snapshot().late_replies == 0);
}

TEST_CASE("one responder leaves and the others go on answering", "[request]") {
  manual_bus on;
  auto a = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; });
  auto b = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; });
  for (int i = 0; i < 10; ++i) {
    auto r = on.bus.request<int>("twice", i, 1s);
    on.run();
    CHECK(r.get() == 2 * i);
  }
  a.cancel();
  auto r = on.bus.request<int>("twice", 21, 1s);
  on.run();
  REQUIRE(is_ready(r));
  CHECK(r.get() == 42);
  b.cancel();
  auto none = on.bus.request<int>("twice", 21, 1s);
  CHECK(failure_of(none) == errc::no_responders);
}

TEST_CASE("requests wait for the responder that is left, and fail at once when the last one goes", "[request]") {
  manual_bus on;
  auto a = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; });
  auto b = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; });
  a.pause(), b.pause();
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(on.bus.request<int>("twice", i, 1h));
  on.run();
  a.cancel();
  on.run();
  for (const auto& each : waiting) CHECK_FALSE(is_ready(each));
  SECTION("the one that is left answers") {
    b.resume();
    on.run();
    for (int i = 0; i < 100; ++i) CHECK(waiting[static_cast<std::size_t>(i)].get() == 2 * i);
  }
  SECTION("the last one goes") {
    b.cancel();
    on.run();
    for (auto& each : waiting) CHECK(failure_of(each) == errc::no_responders);
    CHECK(on.bus.snapshot().pending_requests == 0);
  }
}

TEST_CASE("a responder whose owner has expired answers nothing more", "[request]") {
  manual_bus on;
  auto owner = std::make_shared<int>();
  const auto s = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; }, {.owner = owner});
  owner.reset();
  auto r = on.bus.request<int>("twice", 1, 1h);
  on.run();
  CHECK(failure_of(r) == errc::no_responders);
  CHECK_FALSE(s.active());
}

TEST_CASE("thousands of requests are outstanding, and each gets its own reply", "[request]") {
  manual_bus on;
  auto s = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; });
  s.pause();
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 20'000; ++i) waiting.push_back(on.bus.request<int>("twice", i, 1h));
  CHECK(on.bus.snapshot().pending_requests == 20'000);
  s.resume();
  on.run();
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) wrong += waiting[static_cast<std::size_t>(i)].get() != 2 * i;
  CHECK(wrong == 0);
  CHECK(on.bus.snapshot().pending_requests == 0);
}

TEST_CASE("pending requests are bounded: one more is errc::would_block", "[request]") {
  manual_bus on({.max_pending_requests = 10});
  auto s = on.bus.respond<int, int>("twice", [](int n) { return 2 * n; });
  s.pause();
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(on.bus.request<int>("twice", i, 1h));
  auto refused = on.bus.request<int>("twice", 10, 1h);
  REQUIRE(is_ready(refused));
  CHECK(error_of([&] { refused.get(); }) == errc::would_block);
  s.resume();
  on.run();
  for (int i = 0; i < 10; ++i) CHECK(waiting[static_cast<std::size_t>(i)].get() == 2 * i);
  auto again = on.bus.request<int>("twice", 10, 1h);
  on.run();
  CHECK(again.get() == 20);
}
