#include <future>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::census;
using testing::counted;
using testing::error_of;
using testing::manual_bus;

namespace {

std::error_code refuse_secrets(const metadata&, headers& with) {
  return with.contains("secret") ? std::make_error_code(std::errc::permission_denied) : std::error_code{};
}

}  // namespace

TEST_CASE("an interceptor adds headers before the event is accepted", "[intercept]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.intercept = [](const metadata&, headers& with) {
                                   with.set("signed", "yes");
                                   return std::error_code{};
                                 }});
  std::vector<headers> seen;
  const auto subscribed = topic.subscribe([&](const event<int>& e) { seen.push_back(e.headers()); });
  auto out = topic.publisher();
  topic.publish(1);
  out.publish(2, {{"k", "v"}});
  CHECK_FALSE(out.try_publish(3));
  out.publish_all(std::vector{4, 5});
  out.publish_async(6).get();
  on.run();
  const headers alone{{"signed", "yes"}}, both{{"k", "v"}, {"signed", "yes"}};
  CHECK(seen == std::vector{alone, both, alone, alone, alone, alone});
}

TEST_CASE("an interceptor sees the topic, the headers and the origin, on the publisher's thread", "[intercept]") {
  manual_bus on;
  std::string name, value;
  std::uint64_t origin = 0, sequence = 1;
  std::thread::id where;
  auto topic = on.bus.topic<int>("robot.pose", {.intercept = [&](const metadata& m, headers& with) {
                                   name = m.topic;
                                   value = m.headers.get("k");
                                   origin = m.origin;
                                   sequence = m.sequence;
                                   where = std::this_thread::get_id();
                                   CHECK(&with == &m.headers);
                                   return std::error_code{};
                                 }});
  auto out = topic.publisher({.origin = 9});
  std::thread::id publishing;
  std::thread thread([&] {
    publishing = std::this_thread::get_id();
    out.publish(1, {{"k", "v"}});
  });
  thread.join();
  CHECK(name == "robot.pose");
  CHECK(value == "v");
  CHECK(origin == 9);
  CHECK(sequence == 0);
  CHECK(where == publishing);
}

TEST_CASE("an interceptor refuses an event with an error of its own, which the call reports", "[intercept]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t", {.intercept = refuse_secrets});
  std::vector<int> seen;
  const auto subscribed = topic.subscribe([&](int i) { seen.push_back(i); });
  auto out = topic.publisher();
  const headers secret{{"secret", "1"}};
  CHECK(error_of([&] { out.publish(1, secret); }) == std::errc::permission_denied);
  CHECK(error_of([&] { topic.publish(1, secret); }) == std::errc::permission_denied);
  CHECK(out.try_publish(1, secret) == std::errc::permission_denied);
  CHECK(out.publish_for(1, 1s, secret) == std::errc::permission_denied);
  CHECK(error_of([&] { out.publish_all(std::vector{1, 2}, secret); }) == std::errc::permission_denied);
  auto future = out.publish_async(1, secret);
  CHECK(error_of([&] { future.get(); }) == std::errc::permission_denied);
  out.publish(7);
  on.run();
  CHECK(seen == std::vector{7});
  CHECK(on.topic("t")->refused == 6);
  CHECK(on.topic("t")->accepted == 1);
}

TEST_CASE("an interceptor that refuses within a batch leaves those before it accepted", "[intercept]") {
  manual_bus on;
  int calls = 0;
  auto topic =
      on.bus.topic<int>("t", {.intercept = [&](const metadata&, headers& with) {
                          with.set("number", std::to_string(++calls));
                          return calls == 4 ? std::make_error_code(std::errc::permission_denied) : std::error_code{};
                        }});
  std::vector<std::string> numbers;
  const auto subscribed =
      topic.subscribe([&](const event<int>& e) { numbers.emplace_back(e.headers().get("number")); });
  CHECK(error_of([&] { topic.publish_all(std::vector(10, 1)); }) == std::errc::permission_denied);
  on.run();
  CHECK(numbers == std::vector<std::string>{"1", "2", "3"});
  CHECK(on.topic("t")->refused == 1);
}

TEST_CASE("an event that an interceptor refused has not been moved from", "[intercept]") {
  census in;
  manual_bus on;
  auto topic = on.bus.topic<counted>("t", {.intercept = refuse_secrets});
  counted mine(in, 42);
  CHECK(topic.try_publish(std::move(mine), {{"secret", "1"}}) == std::errc::permission_denied);
  CHECK(mine.value() == 42);
  CHECK(in.made() == 1);
}

TEST_CASE("an interceptor is called for each event once, also when the publisher waits or spills", "[intercept]") {
  manual_bus on;
  int calls = 0;
  auto topic =
      on.bus.topic<int>("t", {.capacity = 2, .lane = 1, .spill = 4, .intercept = [&](const metadata&, headers&) {
                                ++calls;
                                return std::error_code{};
                              }});
  int seen = 0;
  const auto subscribed = topic.subscribe([&](int) { ++seen; });
  auto out = topic.publisher();
  for (int i = 0; i < 10; ++i) out.publish(i);
  out.publish_all(std::vector(10, 1));
  std::vector<std::future<void>> futures;
  for (int i = 0; i < 3; ++i) futures.push_back(out.publish_async(i));
  on.run();
  CHECK(seen == 23);
  CHECK(calls == 23);
}

TEST_CASE("an interceptor that throws refuses the event, and calls that return errors still do not throw",
          "[intercept]") {
  const testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("t", {.intercept = [](const metadata&, headers& with) -> std::error_code {
                                   if (with.contains("bad")) throw std::runtime_error("an interceptor's mistake");
                                   return {};
                                 }});
  int seen = 0;
  const auto subscribed = topic.subscribe([&](int i) { seen = i; });
  const headers bad{{"bad", "1"}};
  CHECK(topic.try_publish(1, bad) == errc::handler_failed);
  CHECK(topic.publish_for(1, 1s, bad) == errc::handler_failed);
  CHECK(error_of([&] { topic.publish(1, bad); }) == errc::handler_failed);
  topic.publish(2);
  on.run();
  CHECK(seen == 2);
  CHECK(on.topic("t")->refused == 3);
  CHECK(log.text().find("an interceptor's mistake") != std::string::npos);
}

TEST_CASE("an interceptor that is set late sees the events from then on", "[intercept]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("t");
  std::vector<std::size_t> sizes;
  const auto subscribed = topic.subscribe([&](const event<int>& e) { sizes.push_back(e.headers().size()); });
  topic.publish(1);
  on.bus.topic<int>("t", {.intercept = [](const metadata&, headers& with) {
                      with.set("k", "v");
                      return std::error_code{};
                    }});
  topic.publish(2);
  on.run();
  CHECK(sizes == std::vector<std::size_t>{0, 1});
}

TEST_CASE("an interceptor may publish elsewhere, without waiting", "[intercept]") {
  manual_bus on;
  auto audit = on.bus.topic<std::string>("audit", {.capacity = 1, .lane = 1, .spill = 2});
  auto topic = on.bus.topic<int>(
      "t", {.intercept = [&](const metadata& m, headers&) { return audit.try_publish(std::string(m.topic)); }});
  std::vector<std::string> seen;
  auto subscribed = audit.subscribe([&](const std::string& s) { seen.push_back(s); });
  subscribed.pause();
  int accepted = 0;
  while (!topic.try_publish(1)) ++accepted;
  CHECK(topic.try_publish(1) == errc::would_block);
  subscribed.resume();
  on.run();
  CHECK(seen == std::vector<std::string>(static_cast<std::size_t>(accepted), "t"));
}
