#include <bus/timers.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <bus/manual_engine.hpp>

#include "tests/catch.hpp"

using namespace actorbus;
using namespace std::chrono_literals;

namespace {

struct clockwork {
  manual_engine engine;
  std::shared_ptr<core::timers> timers = std::make_shared<core::timers>(engine);
  std::string order;
  const manual_engine::time_point start = engine.now();

  auto note(char what) {
    return [this, what] { order += what; };
  }
};

}  // namespace

TEST_CASE("timers call at their times, in the order of the times, whatever the order of their setting", "[timers]") {
  clockwork on;
  std::vector<std::chrono::nanoseconds> at;
  const auto when = [&] { at.push_back(on.engine.now() - on.start); };
  on.timers->at(on.start + 30ms, when);
  on.timers->at(on.start + 10ms, when);
  on.timers->at(on.start + 20ms, when);
  on.engine.advance(9ms);
  CHECK(at.empty());
  on.engine.advance(1s);
  CHECK(at == std::vector<std::chrono::nanoseconds>{10ms, 20ms, 30ms});
}

TEST_CASE("timers of one time are called in the order of their setting", "[timers]") {
  clockwork on;
  for (const char c : {'a', 'b', 'c'}) on.timers->at(on.start + 1ms, on.note(c));
  on.engine.advance(1ms);
  CHECK(on.order == "abc");
}

TEST_CASE("a time that has passed is called soon, and each timer once", "[timers]") {
  clockwork on;
  on.engine.advance(1s);
  on.timers->at(on.start, on.note('a'));
  CHECK(on.order.empty());
  on.engine.run();
  on.engine.advance(1h);
  CHECK(on.order == "a");
}

TEST_CASE("a cancelled timer is not called, and cancelling tells whether it came in time", "[timers]") {
  clockwork on;
  const auto a = on.timers->at(on.start + 1ms, on.note('a'));
  const auto b = on.timers->at(on.start + 1ms, on.note('b'));
  CHECK(on.timers->cancel(a));
  CHECK_FALSE(on.timers->cancel(a));
  on.engine.advance(1ms);
  CHECK(on.order == "b");
  CHECK_FALSE(on.timers->cancel(b));
}

TEST_CASE("a timer may set and cancel others", "[timers]") {
  clockwork on;
  core::timers::handle doomed;
  on.timers->at(on.start + 1ms, [&] {
    on.timers->at(on.engine.now() + 1ms, on.note('b'));
    on.timers->at(on.engine.now(), on.note('a'));
    CHECK(on.timers->cancel(doomed));
  });
  doomed = on.timers->at(on.start + 5ms, on.note('x'));
  on.engine.advance(1s);
  CHECK(on.order == "ab");
}

TEST_CASE("what a cancelled or stopped timer holds is destroyed, outside every lock", "[timers]") {
  clockwork on;
  struct meddler {
    explicit meddler(core::timers& of) : timers(of) {}
    ~meddler() { timers.cancel({}); }
    core::timers& timers;
  };
  auto first = std::make_shared<meddler>(*on.timers);
  auto second = std::make_shared<meddler>(*on.timers);
  const std::weak_ptr<meddler> a = first;
  const std::weak_ptr<meddler> b = second;
  const auto timer = on.timers->at(on.start + 1ms, [held = std::move(first)] {});
  on.timers->at(on.start + 1ms, [held = std::move(second)] {});
  on.timers->cancel(timer);
  CHECK(a.expired());
  on.timers->stop();
  CHECK(b.expired());
}

TEST_CASE("stopped timers call nothing and take no more", "[timers]") {
  clockwork on;
  on.timers->at(on.start + 1ms, on.note('a'));
  on.timers->stop();
  on.timers->at(on.start + 2ms, on.note('b'));
  on.engine.advance(1h);
  CHECK(on.order.empty());
}

TEST_CASE("a timer for the end of time is never called and keeps no other from its call", "[timers]") {
  clockwork on;
  on.timers->at(manual_engine::time_point::max(), on.note('x'));
  on.timers->at(on.start + 1ms, on.note('a'));
  on.engine.advance(24h);
  CHECK(on.order == "a");
}
