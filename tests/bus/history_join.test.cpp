// What a history source is told to join its events with the log: from where the log gives everything, and what of the
// source's own events is in it.
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = story::lines_type;

/// Keeps what it is asked, and answers when the test says so.
struct asked_source final : history_source<int> {
  void fetch(const history_request& request, std::function<void(std::vector<past_event<int>>)> done) override {
    asked.push_back(request);
    answers.push_back(std::move(done));
  }
  /// The sequences that the log has for the request now.
  std::vector<std::uint64_t> seen(std::size_t which = 0) const {
    std::vector<std::uint64_t> result;
    asked.at(which).look([&](const metadata& each) {
      result.push_back(each.sequence);
      return true;
    });
    return result;
  }
  std::vector<history_request> asked;
  std::vector<std::function<void(std::vector<past_event<int>>)>> answers;
};

using sequences = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a history source is told from which sequence on the log gives everything, and sees what is there",
          "[history_source]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("h", {.history = 3});
  const auto source = std::make_shared<asked_source>();
  topic.set_history_source(source);
  for (int i = 1; i <= 5; ++i) topic.publish(i);
  on.run();
  story told;
  const auto s = topic.subscribe(told.handler(), {.from = replay::all()});
  on.run();
  REQUIRE(source->asked.size() == 1);
  CHECK(source->asked[0].until == 3);
  CHECK(source->seen() == sequences{3, 4, 5});
  auto out = topic.publisher({.origin = 7});
  out.publish(6);
  out.publish_notice(gap{.topic = {}, .reason = "no event"});
  out.publish(7);
  on.run();
  CHECK(source->seen() == sequences{3, 4, 5, 6, 8});
  source->answers[0]({});
  on.run();
  CHECK(told.lines().back() == "7");
}

TEST_CASE("without anything to replay the log gives what comes after the subscription", "[history_source]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("h");
  const auto source = std::make_shared<asked_source>();
  topic.set_history_source(source);
  for (int i = 1; i <= 5; ++i) topic.publish(i);
  on.run();
  const auto s = topic.subscribe([](const int&) {}, {.from = replay::all()});
  on.run();
  REQUIRE(source->asked.size() == 1);
  CHECK(source->asked[0].until == 6);
  CHECK(source->seen().empty());
  topic.publish(6);
  on.run();
  CHECK(source->seen() == sequences{6});
  source->answers[0]({});
}

TEST_CASE("what a waiting replay will give is seen also when the log has let it go", "[history_source]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("h", {.history = 3});
  const auto source = std::make_shared<asked_source>();
  topic.set_history_source(source);
  for (int i = 1; i <= 3; ++i) topic.publish(i);
  on.run();
  auto in = topic.inbox({.from = replay::all(), .capacity = 2});
  in.poll([](const int&) {});
  for (int i = 4; i <= 4000; ++i) {
    topic.publish(i);
    on.run();
  }
  REQUIRE(source->asked.size() == 1);
  const auto seen = source->seen();
  REQUIRE(seen.size() >= 3);
  CHECK(sequences(seen.begin(), seen.begin() + 3) == sequences{1, 2, 3});
  CHECK(seen.back() == 4000);
  source->answers[0]({});
}

TEST_CASE("a look at the log stops when it is told to, and sees nothing of a topic that is gone", "[history_source]") {
  const auto source = std::make_shared<asked_source>();
  {
    manual_bus on;
    auto topic = on.bus.topic<int>("h", {.history = 2});
    topic.set_history_source(source);
    for (int i = 1; i <= 4; ++i) topic.publish(i);
    const auto s = topic.subscribe([](const int&) {}, {.from = replay::all()});
    on.run();
    topic.publish(5);
    on.run();
    int calls = 0;
    source->asked.at(0).look([&](const metadata&) { return ++calls < 2; });
    CHECK(calls == 2);
  }
  source->answers.clear();
  CHECK(source->seen().size() <= 3);  // what is kept for the replay
}

TEST_CASE("a publisher tells how much of what it had accepted is not in the log yet", "[history_source]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("h", {.capacity = 2, .lane = 16});
  auto out = topic.publisher();
  CHECK(out.unappended() == 0);
  const auto s = topic.subscribe([](const int&) {});
  for (int i = 0; i < 5; ++i) out.publish(i);
  CHECK(out.unappended() <= 5);
  CHECK(out.unappended() >= 3);
  on.run();
  CHECK(out.unappended() == 0);
}

TEST_CASE("what a publisher no longer counts as unappended is in the log", "[history_source][threads]") {
  actorbus::bus bus;
  auto topic = bus.topic<int>("h", {.history = 1});
  auto out = topic.publisher();
  const auto s = topic.subscribe([](const int&) {});  // a topic that nobody reads is appended to by its publishers
  const auto rounds = static_cast<int>(scaled(20'000));
  for (int i = 0; i < rounds; ++i) {
    for (int burst = 0; burst < 3; ++burst) out.publish(i * 3 + burst);
    for (int looks = 1; out.unappended() != 0; ++looks) {  // at once, as a rule: it is the next instruction that counts
      if (looks % 1000 == 0) std::this_thread::yield();
    }
    REQUIRE(*topic.latest().value() == i * 3 + 2);
  }
}

TEST_CASE("an inbox tells whether everything of a topic before a sequence was read", "[inbox]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("a.x");
  auto in = on.bus.inbox<int>("a.*");
  CHECK(in.has_read("a.x", 1));
  CHECK(in.has_read("b", 100));  // it reads no such topic
  for (int i = 0; i < 3; ++i) topic.publish(i);
  on.run();
  CHECK_FALSE(in.has_read("a.x", 2));
  in.poll([](const int&) {}, 2);
  CHECK(in.has_read("a.x", 3));
  CHECK_FALSE(in.has_read("a.x", 4));
}

TEST_CASE("a history source for a pattern serves its topics of that type, those to come too, until it is taken back",
          "[history_source]") {
  manual_bus on;
  const auto by_pattern = std::make_shared<asked_source>();
  const auto own = std::make_shared<asked_source>();
  auto special = on.bus.topic<int>("h.special");
  special.set_history_source(own);
  auto hook = std::make_optional(on.bus.add_history_source<int>("h.*", by_pattern));
  const auto ask = [&](const std::string& name) {
    const auto s = on.bus.topic<int>(name).subscribe([](const int&) {}, {.from = replay::all()});
    on.run();
  };
  ask("h.special");
  ask("h.later");
  ask("other");
  const auto text = on.bus.topic<std::string>("h.text").subscribe([](const std::string&) {}, {.from = replay::all()});
  on.run();
  CHECK(own->asked.size() == 1);
  REQUIRE(by_pattern->asked.size() == 1);
  CHECK(by_pattern->asked[0].topic == "h.later");
  const auto newer = std::make_shared<asked_source>();
  {
    const auto over = on.bus.add_history_source<int>("h.later", newer);
    ask("h.later");
    CHECK(newer->asked.size() == 1);
  }
  ask("h.later");
  CHECK(by_pattern->asked.size() == 2);
  hook.reset();
  ask("h.later");
  CHECK(by_pattern->asked.size() == 2);
  CHECK(error_of([&] { return on.bus.add_history_source<int>("h.*x", newer); }) == errc::invalid_pattern);
}
