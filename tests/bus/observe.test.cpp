// bus::observe: every type, no payload.
#include <stdexcept>
#include <typeindex>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/counted.hpp"
#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using namespace actorbus::testing;

namespace {

struct sighting {
  std::string topic;
  std::uint64_t sequence;
  std::type_index type;
  friend bool operator==(const sighting&, const sighting&) = default;
};

struct tap {
  std::vector<sighting> seen;
  auto handler() {
    return [this](const metadata& m, std::type_index t) { seen.push_back({std::string(m.topic), m.sequence, t}); };
  }
};

}  // namespace

TEST_CASE("an observer sees the metadata and the type of every event, of every type", "[observe]") {
  manual_bus on;
  auto whole = on.bus.topic<int>("seen.whole");
  tap taps;
  auto subscription = on.bus.observe("seen.>", taps.handler());
  auto text = on.bus.topic<std::string>("seen.later.text");
  auto elsewhere = on.bus.topic<int>("unseen");
  whole.publish(1);
  on.run();
  text.publish("x");
  on.run();
  elsewhere.publish(2);
  whole.publish(3);
  on.run();
  CHECK(taps.seen == std::vector<sighting>{{"seen.whole", 1, typeid(int)},
                                           {"seen.later.text", 1, typeid(std::string)},
                                           {"seen.whole", 2, typeid(int)}});
}

TEST_CASE("an observer sees headers, time and origin", "[observe]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("seen");
  std::string source;
  std::uint64_t origin = 0;
  std::chrono::system_clock::time_point time;
  auto subscription = on.bus.observe("seen", [&](const metadata& m, std::type_index) {
    source = m.headers.contains("source") ? "yes" : "no";
    origin = m.origin;
    time = m.time;
  });
  auto out = topic.publisher({.origin = 42});
  out.publish(1, {{"source", "odometry"}});
  on.run();
  CHECK(source == "yes");
  CHECK(origin == 42);
  CHECK(time == on.engine->wall_now());
}

TEST_CASE("an observer begins behind what was published before it, and ends with its subscription", "[observe]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("seen", {.history = 10});
  topic.publish(1);
  tap taps;
  auto subscription = on.bus.observe("seen", taps.handler());
  topic.publish(2);
  on.run();
  subscription.cancel();
  topic.publish(3);
  on.run();
  CHECK(taps.seen == std::vector<sighting>{{"seen", 2, typeid(int)}});
}

TEST_CASE("an observer of a name that nobody has yet fixes no type", "[observe]") {
  manual_bus on;
  tap taps;
  auto subscription = on.bus.observe("to.come", taps.handler());
  auto topic = on.bus.topic<double>("to.come");
  topic.publish(0.5);
  on.run();
  CHECK(taps.seen == std::vector<sighting>{{"to.come", 1, typeid(double)}});
}

TEST_CASE("an observer that throws stays, is counted and loses nothing for others", "[observe]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("seen");
  int calls = 0;
  auto subscription = on.bus.observe("seen", [&](const metadata&, std::type_index) {
    ++calls;
    throw std::runtime_error("observer");
  });
  auto in = topic.inbox();
  for (int i = 0; i < 3; ++i) topic.publish(i);
  on.run();
  CHECK(calls == 3);
  CHECK(subscription.active());
  CHECK(in.poll([](const int&) {}) == 3);
}

TEST_CASE("observing copies no payload and keeps none", "[observe]") {
  census living;
  manual_bus on;
  auto topic = on.bus.topic<counted>("seen");
  tap taps;
  auto subscription = on.bus.observe(">", taps.handler());
  for (int i = 0; i < 10; ++i) topic.publish(counted(living, i));
  on.run();
  CHECK(taps.seen.size() == 10);
  CHECK(living.made() == 10);
  CHECK(living.living() == 0);
}

TEST_CASE("a topic that is finished is not the end of an observer of others", "[observe]") {
  manual_bus on;
  tap taps;
  auto subscription = on.bus.observe("*", taps.handler());
  auto a = on.bus.topic<int>("a");
  auto b = on.bus.topic<int>("b");
  a.finish();
  on.run();
  b.publish(1);
  on.run();
  CHECK(taps.seen == std::vector<sighting>{{"b", 1, typeid(int)}});
  CHECK(subscription.active());
}
