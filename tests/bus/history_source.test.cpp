#include <bus/history_source.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/recording_logger.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using lines = story::lines_type;
using answer = std::function<void(std::vector<past_event<int>>)>;

/// A store of older events, as a bridge would keep one. Answers at once, or when it is told to.
class store final : public history_source<int> {
 public:
  explicit store(std::vector<past_event<int>> events, bool waits = false) : events_(std::move(events)), waits_(waits) {}

  void fetch(const history_request& request, answer done) override {
    asked.push_back(request);
    if (waits_) {
      pending.push_back(std::move(done));
    } else {
      done(wanted(request));
    }
  }

  std::vector<past_event<int>> wanted(const history_request& request) const {
    auto events = events_;
    if (request.from.kind() != replay_kind::last) return events;
    const std::size_t missing = request.from.count() - request.have;
    if (events.size() > missing) events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(missing));
    return events;
  }

  std::vector<history_request> asked;
  std::vector<answer> pending;

 private:
  const std::vector<past_event<int>> events_;
  const bool waits_;
};

std::vector<past_event<int>> past(int first, int last) {
  std::vector<past_event<int>> events;
  for (int i = first; i <= last; ++i) events.push_back({.value = i});
  return events;
}

struct scene : manual_bus {
  scene() = default;
  explicit scene(std::shared_ptr<store> from) : source(std::move(from)) { topic.set_history_source(source); }
  std::shared_ptr<store> source;
  actorbus::topic<int> topic = bus.topic<int>("h", {.history = 3});
};

}  // namespace

TEST_CASE("older events come from the history source, then the log's, then live ones, without gap or duplicate",
          "[history_source]") {
  scene on(std::make_shared<store>(past(1, 5)));
  for (int i = 6; i <= 8; ++i) on.topic.publish(i);
  story told;
  const auto s = on.topic.subscribe(told.handler(), {.from = replay::all()});
  on.topic.publish(9);
  on.run();
  CHECK(told.lines() == lines{"1", "2", "3", "4", "5", "6", "7", "8", "caught up at 3", "9"});
}

TEST_CASE("last(n) asks the history source for as many as the log lacks, and not at all when it has them",
          "[history_source]") {
  scene on(std::make_shared<store>(past(1, 5)));
  for (int i = 6; i <= 8; ++i) on.topic.publish(i);
  story five;
  story three;
  const auto a = on.topic.subscribe(five.handler(), {.from = replay::last(5)});
  const auto b = on.topic.subscribe(three.handler(), {.from = replay::last(3)});
  on.run();
  CHECK(five.lines() == lines{"4", "5", "6", "7", "8", "caught up at 3"});
  CHECK(three.lines() == lines{"6", "7", "8", "caught up at 3"});
  REQUIRE(on.source->asked.size() == 1);
  const auto& request = on.source->asked[0];
  CHECK(request.topic == "h");
  CHECK(request.from == replay::last(5));
  CHECK(request.have == 3);
  REQUIRE(request.before);
  CHECK(request.before->sequence == 1);
}

TEST_CASE("the history source is told the oldest event that the log has, with headers and origin", "[history_source]") {
  scene on(std::make_shared<store>(past(1, 1)));
  auto bridge = on.topic.publisher({.origin = 77});
  bridge.publish_from(5, 41, {{"id", "5-0"}});
  for (int i = 6; i <= 7; ++i) on.topic.publish(i);
  story told;
  const auto s = on.topic.subscribe(told.handler(), {.from = replay::all()});
  on.run();
  REQUIRE(on.source->asked.size() == 1);
  const auto& before = on.source->asked[0].before;
  REQUIRE(before);
  CHECK(before->origin == 77);
  CHECK(before->origin_sequence == 41);
  REQUIRE(before->headers.find("id") != nullptr);
  CHECK(*before->headers.find("id") == "5-0");
}

TEST_CASE("events older than this process have sequence 0, and the headers, time and origin they had",
          "[history_source]") {
  const auto when = std::chrono::system_clock::time_point{1000h};
  std::vector<past_event<int>> events;
  events.push_back({.value = 1, .headers = {{"k", "v"}}, .time = when, .origin = 9, .origin_sequence = 4});
  scene on(std::make_shared<store>(std::move(events)));
  bool called = false;
  const auto s = on.topic.subscribe(
      [&](const event<int>& e) {
        called = true;
        CHECK(e.sequence() == 0);
        CHECK(e.topic() == "h");
        CHECK(e.time() == when);
        CHECK(e.origin() == 9);
        CHECK(e.origin_sequence() == 4);
        CHECK(*e.headers().find("k") == "v");
      },
      {.from = replay::all()});
  on.run();
  CHECK(called);
}

TEST_CASE("while the history source has not answered the subscription waits, and nobody else", "[history_source]") {
  scene on(std::make_shared<store>(past(1, 2), true));
  story waiting;
  story other;
  const auto a = on.topic.subscribe(waiting.handler(), {.from = replay::all()});
  const auto b = on.topic.subscribe(other.handler());
  on.topic.publish(3);
  on.run();
  CHECK(waiting.lines().empty());
  CHECK(other.lines() == lines{"3"});
  CHECK_FALSE(on.bus.flush(1s));
  REQUIRE(on.source->pending.size() == 1);
  on.source->pending[0](past(1, 2));
  on.run();
  CHECK(waiting.lines() == lines{"1", "2", "caught up at 0", "3"});
  CHECK(on.bus.flush(1s));
}

TEST_CASE("live, after, and a source that has nothing: nothing older comes", "[history_source]") {
  scene on(std::make_shared<store>(past(1, 0)));
  for (int i = 1; i <= 4; ++i) on.topic.publish(i);
  story live;
  story after;
  story all;
  const auto a = on.topic.subscribe(live.handler());
  const auto b = on.topic.subscribe(after.handler(), {.from = replay::after(2)});
  CHECK(on.source->asked.empty());
  const auto c = on.topic.subscribe(all.handler(), {.from = replay::all()});
  on.run();
  CHECK(live.lines().empty());
  CHECK(after.lines() == lines{"3", "4", "caught up at 4"});
  CHECK(all.lines() == lines{"2", "3", "4", "caught up at 4"});
}

TEST_CASE("a history source that throws is as one that has nothing, and is reported", "[history_source]") {
  struct broken final : history_source<int> {
    void fetch(const history_request&, answer) override { throw std::runtime_error("no connection"); }
  };
  recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto topic = on.bus.topic<int>("h", {.history = 3});
  topic.set_history_source(std::make_shared<broken>());
  topic.publish(1);
  story told;
  const auto s = topic.subscribe(told.handler(), {.from = replay::all()});
  on.run();
  CHECK(told.lines() == lines{"1", "caught up at 1"});
  CHECK(log.text().find("no connection") != std::string::npos);
}

TEST_CASE("inboxes, groups and subscriptions on patterns get what the history source has", "[history_source]") {
  scene on(std::make_shared<store>(past(1, 2)));
  on.topic.publish(3);
  story pattern;
  story member;
  auto in = on.topic.inbox({.from = replay::all()});
  const auto p = on.bus.subscribe<int>(">", pattern.handler(), {.from = replay::all()});
  const auto g = on.topic.subscribe(member.handler(), {.from = replay::all(), .group = "g"});
  on.run();
  std::vector<int> read;
  for (int polls = 0; polls < 5; ++polls) {
    in.poll([&](const int& i) { read.push_back(i); });
    on.run();
  }
  CHECK(read == std::vector<int>{1, 2, 3});
  CHECK(pattern.lines() == lines{"1", "2", "3", "caught up at 1"});
  CHECK(member.lines() == lines{"1", "2", "3"});
}

TEST_CASE("events of a history source are in the accounts", "[history_source]") {
  scene on(std::make_shared<store>(past(1, 5)));
  on.topic.publish(6);
  const auto s = on.topic.subscribe([](const int&) {}, {.from = replay::all()});
  on.run();
  const auto report = on.bus.close(1s);
  CHECK(report.drained);
  CHECK(report.totals.offered == 6);
  CHECK(report.totals.delivered == 6);
  CHECK(report.totals.adds_up());
}

TEST_CASE("a source may answer from its own thread, also after the subscription was cancelled or the bus closed",
          "[history_source]") {
  struct threaded final : history_source<std::string> {
    ~threaded() override {
      for (auto& each : threads) each.join();
    }
    void fetch(const history_request&, std::function<void(std::vector<past_event<std::string>>)> done) override {
      std::lock_guard lock(mutex);
      threads.emplace_back([done = std::move(done)] {
        std::vector<past_event<std::string>> events(20);
        for (auto& each : events) each.value = std::string(40, 'x');
        done(std::move(events));
      });
    }
    std::mutex mutex;
    std::vector<std::thread> threads;
  };
  const auto source = std::make_shared<threaded>();
  actorbus::bus bus;
  auto topic = bus.topic<std::string>("h", {.history = 3});
  topic.set_history_source(source);
  for (std::size_t round = scaled(300); round != 0; --round) {
    std::atomic<int> calls{0};
    auto s = topic.subscribe([&](const std::string&) { ++calls; }, {.from = replay::all()});
    if (round % 3 == 0) REQUIRE(eventually([&] { return calls == 20; }));
    s.cancel();
    const int before = calls;
    if (round % 10 == 0) REQUIRE(bus.flush(20s));
    REQUIRE(calls == before);
  }
  const auto s = topic.subscribe([](const std::string&) {}, {.from = replay::all()});
  CHECK(bus.close(20s).totals.adds_up());
}
