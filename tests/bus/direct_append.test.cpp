#include <bus/bus.hpp>
#include <bus/manual_engine.hpp>

#include <chrono>
#include <functional>
#include <memory>

#include "tests/catch.hpp"

using namespace actorbus;
using namespace std::chrono_literals;

namespace {

/// A manual engine whose workers the test declares busy.
class busy_engine final : public engine {
 public:
  bool crowded = false;

  void run() { inner_.run(); }
  void advance(std::chrono::nanoseconds by) { inner_.advance(by); }

  std::unique_ptr<waker> add(std::weak_ptr<activity> what, placement where) override {
    return inner_.add(std::move(what), where);
  }
  time_point now() const override { return inner_.now(); }
  std::chrono::system_clock::time_point wall_now() const override { return inner_.wall_now(); }
  bool is_crowded() const override { return crowded; }
  bool wait(core::wait_point& at, time_point deadline, const std::function<bool()>& done) override {
    return inner_.wait(at, deadline, done);
  }
  void stop() override { inner_.stop(); }

 private:
  manual_engine inner_;
};

struct fixture {
  std::shared_ptr<busy_engine> engine = std::make_shared<busy_engine>();
  actorbus::bus bus{engine};
  actorbus::topic<int> topic = bus.topic<int>("t");

  /// What the log holds, whoever has run: an inbox reads it on the spot.
  actorbus::inbox<int> in = topic.inbox();
  std::size_t there() {
    return in.poll([](const event<int>&) {}, 64);
  }
};

}  // namespace

TEST_CASE("an event that comes alone is in the log when its publish returns", "[direct_append]") {
  fixture f;
  f.topic.publish(1);
  CHECK(f.there() == 1);
}

TEST_CASE("an event that follows at once goes through the lane", "[direct_append]") {
  fixture f;
  f.topic.publish(1);
  f.topic.publish(2);
  CHECK(f.there() == 1);
  f.engine->run();
  CHECK(f.there() == 1);
}

TEST_CASE("while workers have more to do than they can an event alone waits in its lane for others",
          "[direct_append]") {
  fixture f;
  f.engine->crowded = true;
  f.topic.publish(1);
  CHECK(f.there() == 0);
  f.engine->run();
  CHECK(f.there() == 1);
}

TEST_CASE("once workers have caught up an event alone is appended at once again", "[direct_append]") {
  fixture f;
  f.engine->crowded = true;
  f.topic.publish(1);
  f.engine->run();
  CHECK(f.there() == 1);
  f.engine->crowded = false;
  f.engine->advance(1ms);
  f.topic.publish(2);
  CHECK(f.there() == 1);
}
