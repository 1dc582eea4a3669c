// topic::on_pressure: told once per crossing of its marks, until the bus ends: what a callback uses is declared before
// the bus.
#include <stdexcept>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

void publish(manual_bus& on, topic<int>& to, int count) {
  for (int i = 0; i < count; ++i) {
    to.publish(i);
    on.run();
  }
}

struct crossing {
  pressure mark;
  std::size_t waiting;
  friend bool operator==(const crossing&, const crossing&) = default;
};

using crossings = std::vector<crossing>;

}  // namespace

TEST_CASE("on_pressure is called once per crossing", "[pressure]") {
  crossings seen;
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  topic.on_pressure(8, 2, [&](pressure mark, std::size_t waiting) { seen.push_back({mark, waiting}); });
  auto in = topic.inbox({.overflow = overflow::block});
  const auto read = [&](std::size_t count) {
    in.poll([](const int&) {}, count);
    on.run();
  };
  publish(on, topic, 7);
  CHECK(seen.empty());
  publish(on, topic, 1);
  CHECK(seen == crossings{{pressure::high, 8}});
  publish(on, topic, 5);
  CHECK(seen.size() == 1);
  read(10);
  CHECK(seen.size() == 1);  // 3 left
  publish(on, topic, 6);
  CHECK(seen.size() == 1);  // high again, but it has not been low
  read(7);
  CHECK(seen == crossings{{pressure::high, 8}, {pressure::low, 2}});
  read(2);
  publish(on, topic, 7);
  CHECK(seen.size() == 2);
  publish(on, topic, 1);
  CHECK(seen.back() == crossing{pressure::high, 8});
  CHECK(seen.size() == 3);
}

TEST_CASE("on_pressure counts by the slowest subscriber", "[pressure]") {
  crossings seen;
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  topic.on_pressure(4, 0, [&](pressure mark, std::size_t waiting) { seen.push_back({mark, waiting}); });
  auto fast = topic.subscribe([](const int&) {});
  auto slow = topic.subscribe([](const int&) {});
  publish(on, topic, 20);
  CHECK(seen.empty());
  slow.pause();
  publish(on, topic, 4);
  CHECK(seen == crossings{{pressure::high, 4}});
  slow.resume();
  on.run();
  CHECK(seen == crossings{{pressure::high, 4}, {pressure::low, 0}});
}

TEST_CASE("pressure falls when the slow subscriber goes", "[pressure]") {
  crossings seen;
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  topic.on_pressure(4, 0, [&](pressure mark, std::size_t waiting) { seen.push_back({mark, waiting}); });
  auto slow = topic.subscribe([](const int&) {});
  slow.pause();
  publish(on, topic, 6);
  slow.cancel();
  on.run();
  CHECK(seen == crossings{{pressure::high, 4}, {pressure::low, 0}});
}

TEST_CASE("pressure falls when an overflow drops", "[pressure]") {
  crossings seen;
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  auto in = topic.inbox({.capacity = 8});
  publish(on, topic, 100);
  topic.on_pressure(8, 1, [&](pressure mark, std::size_t waiting) { seen.push_back({mark, waiting}); });
  on.run();
  CHECK(seen == crossings{{pressure::high, 8}});
  in.poll([](const int&) {});
  on.run();
  CHECK(seen == crossings{{pressure::high, 8}, {pressure::low, 0}});
}

TEST_CASE("what waits in lanes of a blocked topic counts as pressure", "[pressure]") {
  crossings seen;
  manual_bus on;
  auto topic = on.bus.topic<int>("busy", {.lane = 16});
  topic.on_pressure(6, 0, [&](pressure mark, std::size_t waiting) { seen.push_back({mark, waiting}); });
  auto slow = topic.subscribe([](const int&) {}, {.capacity = 2});
  slow.pause();
  publish(on, topic, 5);
  CHECK(seen.empty());
  publish(on, topic, 1);
  on.run();
  CHECK(seen == crossings{{pressure::high, 6}});
}

TEST_CASE("several watches of a topic are called each for its own marks", "[pressure]") {
  std::vector<int> seen;
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  for (int high : {2, 4, 6}) {
    topic.on_pressure(static_cast<std::size_t>(high), 1,
                      [&seen, high](pressure, std::size_t) { seen.push_back(high); });
  }
  auto in = topic.inbox({.overflow = overflow::block});
  publish(on, topic, 5);
  CHECK(seen == std::vector<int>{2, 4});
}

TEST_CASE("marks that cannot be crossed are an invalid argument", "[pressure]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  const auto nothing = [](pressure, std::size_t) {};
  CHECK(error_of([&] { topic.on_pressure(0, 0, nothing); }) == errc::invalid_argument);
  CHECK(error_of([&] { topic.on_pressure(5, 5, nothing); }) == errc::invalid_argument);
  CHECK(error_of([&] { topic.on_pressure(5, 6, nothing); }) == errc::invalid_argument);
  CHECK_FALSE(error_of([&] { topic.on_pressure(1, 0, nothing); }));
}

TEST_CASE("a callback that throws is reported and stays, and may publish", "[pressure]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("busy");
  auto alarms = on.bus.topic<int>("alarms");
  auto heard = alarms.inbox();
  topic.on_pressure(3, 0, [alarms](pressure mark, std::size_t waiting) mutable {
    alarms.publish(static_cast<int>(waiting));
    if (mark == pressure::high) throw std::runtime_error("pressure");
  });
  auto in = topic.inbox({.overflow = overflow::block});
  publish(on, topic, 3);
  in.poll([](const int&) {});
  on.run();
  CHECK(heard.poll([](const int&) {}) == 2);
}

TEST_CASE("under load highs and lows alternate, and a drained topic ends low", "[pressure]") {
  std::vector<pressure> seen;
  std::atomic<bool> wrong{false};
  actorbus::bus bus;
  auto topic = bus.topic<int>("busy", {.capacity = 256});
  topic.on_pressure(128, 16, [&](pressure mark, std::size_t waiting) {
    if (mark == pressure::high ? waiting < 128 : waiting > 16) wrong = true;
    seen.push_back(mark);
  });
  auto subscription = topic.subscribe([](const int&) {});
  for (int i = 0; i < 50'000; ++i) topic.publish(i);
  REQUIRE(bus.flush(20s));
  bus.close(20s);
  bool alternate = true;
  for (std::size_t i = 0; i < seen.size(); ++i)
    alternate = alternate && seen[i] == (i % 2 == 0 ? pressure::high : pressure::low);
  CHECK(alternate);
  CHECK_FALSE(wrong);
  CHECK(seen.size() % 2 == 0);
}
