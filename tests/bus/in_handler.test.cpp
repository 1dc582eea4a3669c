#include <bus/in_handler.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/inside.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

// Each of these happens in every kind of function that a bus calls, with one worker and with several. "Never waits"
// shows as ending at all: what it would wait for happens only afterwards.

namespace {

using lines = story::lines_type;

inside anywhere() {
  const auto which =
      GENERATE(inside::pool, inside::topic, inside::own_thread, inside::poll, inside::where, inside::key,
               inside::interceptor, inside::responder, inside::reply, inside::pressure, inside::observer);
  UNSCOPED_INFO("in " << which);
  return which;
}

struct scene {
  explicit scene(std::size_t workers) : bus(bus_options{.workers = workers}) {}
  actorbus::bus bus;
  topic<int> other = bus.topic<int>("other", {.capacity = 4, .lane = 4, .spill = 8});
};

}  // namespace

TEST_CASE("publishing in a handler reaches the subscribers, in order", "[in_handler]") {
  scene on(GENERATE(1U, 2U));
  story told;
  const auto s = on.other.subscribe(told.handler());
  const happening it(anywhere(), on.bus, [&] {
    for (int i = 1; i <= 3; ++i) on.other.publish(i);
  });
  REQUIRE(it.ended());
  REQUIRE(told.reaches(3));
  CHECK(told.lines() == lines{"1", "2", "3"});
}

TEST_CASE(
    "publishing in a handler never waits: it spills, in order, and throws errc::would_block when the spill is full too",
    "[in_handler]") {
  scene on(GENERATE(1U, 2U));
  story told;
  auto s = on.other.subscribe(told.handler());
  s.pause();
  int accepted = 0;
  std::error_code why;
  const happening it(anywhere(), on.bus, [&] {
    while (accepted < 100 && !why) {
      why = error_of([&] { on.other.publish(accepted + 1); });
      if (!why) ++accepted;
    }
  });
  REQUIRE(it.ended());
  CHECK(why == errc::would_block);
  CHECK(accepted >= 4 + 8);
  CHECK(accepted <= 4 + 4 + 8 + 1);
  s.resume();
  REQUIRE(told.reaches(static_cast<std::size_t>(accepted)));
  const auto seen = told.lines();
  for (int i = 0; i < accepted; ++i) CHECK(seen[static_cast<std::size_t>(i)] == std::to_string(i + 1));
}

TEST_CASE("publish_for and a publisher of its own never wait in a handler either", "[in_handler]") {
  scene on(1);
  auto s = on.other.subscribe([](const int&) {});
  s.pause();
  std::error_code by_topic;
  std::error_code by_publisher;
  const happening it(anywhere(), on.bus, [&] {
    auto out = on.other.publisher();
    for (int i = 0; i < 100 && !by_publisher; ++i) by_publisher = out.publish_for(i, 1h);
    by_topic = on.other.publish_for(1, 1h);
    for (int i = 0; i < 100 && !by_topic; ++i) by_topic = on.other.publish_for(i, 1h);
  });
  REQUIRE(it.ended());
  CHECK(by_topic == errc::would_block);
  CHECK(by_publisher == errc::would_block);
}

TEST_CASE("subscribing in a handler gets what is published from then on", "[in_handler]") {
  scene on(GENERATE(1U, 2U));
  story told;
  story matched;
  on.other.publish(1);
  subscription s;
  subscription pattern;
  const happening it(anywhere(), on.bus, [&] {
    s = on.other.subscribe(told.handler());
    pattern = on.bus.subscribe<int>("made.*", matched.handler());
    on.other.publish(2);
    on.bus.topic<int>("made.here").publish(3);
  });
  REQUIRE(it.ended());
  REQUIRE(told.reaches(1));
  REQUIRE(matched.reaches(1));
  CHECK(told.lines() == lines{"2"});
  CHECK(matched.lines() == lines{"3"});
}

TEST_CASE("cancelling in a handler never waits, and no call begins after it returned", "[in_handler]") {
  scene on(GENERATE(1U, 2U));
  story told;
  auto s = on.other.subscribe(told.handler());
  const auto witness = on.other.subscribe([](const int&) {});
  const happening it(anywhere(), on.bus, [&] {
    s.cancel();
    on.other.publish(1);
  });
  REQUIRE(it.ended());
  REQUIRE(on.bus.flush(20s));
  CHECK_FALSE(s.active());
  CHECK(told.lines().empty());
}

TEST_CASE("a handler that cancels waits for no call that runs elsewhere", "[in_handler]") {
  scene on(1);
  std::atomic<bool> entered{false};
  std::atomic<bool> let_go{false};
  auto s = on.other.subscribe(
      [&](const int&) {
        entered = true;
        static_cast<void>(eventually([&] { return let_go.load(); }));
      },
      {.run_on = run_on::own_thread});
  on.other.publish(1);
  REQUIRE(eventually([&] { return entered.load(); }));
  const happening it(anywhere(), on.bus, [&] {
    s.cancel();
    let_go = true;  // had cancel waited, this would come too late
  });
  CHECK(it.ended());
  CHECK_FALSE(s.active());
}

TEST_CASE("every handle may be destroyed in a handler, and what was published through it is delivered",
          "[in_handler]") {
  scene on(GENERATE(1U, 2U));
  story told;
  const auto s = on.other.subscribe(told.handler());
  auto gone = std::make_optional(on.other.subscribe([](const int&) {}));
  auto in = std::make_optional(on.other.inbox());
  auto out = std::make_optional(on.other.publisher());
  auto last = std::make_optional(on.bus.topic<int>("nobody.else"));
  out->publish(1);
  const happening it(anywhere(), on.bus, [&] {
    out->publish(2);
    out.reset();
    gone.reset();
    in.reset();
    last->publish(1);
    last.reset();
  });
  REQUIRE(it.ended());
  REQUIRE(told.reaches(2));
  CHECK(told.lines() == lines{"1", "2"});
  CHECK(on.bus.flush(20s));
}

TEST_CASE("flush, close and abort throw errc::in_handler in a handler, and change nothing", "[in_handler]") {
  scene on(GENERATE(1U, 2U));
  std::vector<std::error_code> why;
  const happening it(anywhere(), on.bus, [&] {
    why.push_back(error_of([&] { on.bus.flush(1h); }));
    why.push_back(error_of([&] { on.bus.close(1h); }));
    why.push_back(error_of([&] { on.bus.abort(); }));
  });
  REQUIRE(it.ended());
  CHECK(why == std::vector<std::error_code>(3, errc::in_handler));
  CHECK_FALSE(on.other.try_publish(1));
  CHECK(on.bus.flush(20s));
}

TEST_CASE("an inbox never waits in a handler", "[in_handler]") {
  scene on(1);
  auto in = on.other.inbox();
  bool empty = false;
  const happening it(anywhere(), on.bus, [&] { empty = !in.next() && !in.next(1h); });
  REQUIRE(it.ended());
  CHECK(empty);
}

TEST_CASE("asking in a handler, by request_async, is answered", "[in_handler]") {
  scene on(1);
  const auto s = on.bus.respond<int, int>("double", [](const int& i) { return 2 * i; });
  std::atomic<int> answer{0};
  const happening it(anywhere(), on.bus, [&] {
    on.bus.request_async<int>("double", 21, 20s, [&](reply<int> r) { answer = r ? *r : -1; });
  });
  REQUIRE(it.ended());
  REQUIRE(eventually([&] { return answer != 0; }));
  CHECK(answer == 42);
}

TEST_CASE("finishing a topic in a handler, also its own, ends it behind its last event", "[in_handler]") {
  const auto where = GENERATE(run_on::pool, run_on::topic, run_on::own_thread);
  actorbus::bus bus{bus_options{.workers = 1}};
  auto topic = bus.topic<int>("f");
  story told;
  const auto s = topic.subscribe(overloaded{[&](const int& i) {
                                              told.add(std::to_string(i));
                                              if (i == 1) {
                                                topic.publish(2);
                                                topic.finish();
                                              }
                                            },
                                            [&](const finished&) { told.add("finished"); }},
                                 {.run_on = where});
  topic.publish(1);
  REQUIRE(told.reaches(3));
  CHECK(told.lines() == lines{"1", "2", "finished"});
}
