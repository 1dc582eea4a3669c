// inbox::readable_fd, in a foreign loop: poll(2).
#include <poll.h>

#include <thread>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// As poll(2) says, waiting at most so long.
bool is_readable(int fd, int milliseconds = 0) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, milliseconds) == 1 && (one.revents & POLLIN) != 0;
}

const auto nothing = [](const int&) {};

}  // namespace

TEST_CASE("the descriptor is readable while events are there", "[inbox_fd]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("fd");
  auto in = topic.inbox();
  const int fd = in.readable_fd();
  REQUIRE(fd >= 0);
  CHECK(in.readable_fd() == fd);
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(is_readable(fd));
    topic.publish(1);
    topic.publish(2);
    on.run();
    CHECK(is_readable(fd));
    CHECK(in.poll(nothing, 1) == 1);
    CHECK(is_readable(fd));
    CHECK(in.poll(nothing, 1) == 1);
    while (is_readable(fd)) {
      if (in.poll(nothing) == 0) break;
    }
    CHECK_FALSE(is_readable(fd));
  }
}

TEST_CASE("a descriptor taken when events are there already is readable", "[inbox_fd]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("fd");
  auto in = topic.inbox();
  topic.publish(1);
  CHECK(is_readable(in.readable_fd()));
  REQUIRE(in.next(1ms));
  in.poll(nothing);
  CHECK_FALSE(is_readable(in.readable_fd()));
}

TEST_CASE("the descriptor is readable while a poll that stopped early left something", "[inbox_fd]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("fd");
  auto in = topic.inbox();
  topic.publish(1);
  topic.publish(2);
  on.run();
  in.poll(nothing, 1);
  CHECK(is_readable(in.readable_fd()));
}

TEST_CASE("the descriptor is readable after a throw, which left events behind", "[inbox_fd]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("fd");
  auto in = topic.inbox();
  const int fd = in.readable_fd();
  topic.publish(1);
  topic.publish(2);
  on.run();
  CHECK_THROWS(in.poll([](const int& i) { throw i; }));
  CHECK(is_readable(fd));
}

TEST_CASE("the descriptor becomes and stays readable once nothing more will come", "[inbox_fd]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("fd");
  SECTION("the topic is finished") {
    auto in = topic.inbox();
    const int fd = in.readable_fd();
    topic.finish();
    on.run();
    CHECK(is_readable(fd));
    CHECK(in.poll(nothing) == 0);
    CHECK(in.closed());
    CHECK(is_readable(fd));
  }
  SECTION("the bus is closed") {
    auto in = topic.inbox();
    const int fd = in.readable_fd();
    on.bus.close(1s);
    CHECK(is_readable(fd));
    CHECK(in.poll(nothing) == 0);
    CHECK(in.closed());
    CHECK(is_readable(fd));
  }
  SECTION("a pattern's bus is closed") {
    auto in = on.bus.inbox<int>("*");
    const int fd = in.readable_fd();
    on.bus.close(1s);
    CHECK(is_readable(fd));
    in.poll(nothing);
    CHECK(in.closed());
    CHECK(is_readable(fd));
  }
}

TEST_CASE("a closed inbox has no descriptor", "[inbox_fd]") {
  manual_bus on;
  auto in = on.bus.topic<int>("fd").inbox();
  REQUIRE(in.readable_fd() >= 0);
  in.close();
  CHECK(in.readable_fd() == -1);
}

TEST_CASE("a loop that sleeps in poll(2) misses nothing", "[inbox_fd]") {
  constexpr int count = 20'000;
  actorbus::bus bus;
  auto topic = bus.topic<int>("fd");
  auto in = topic.inbox({.overflow = overflow::block});
  const int fd = in.readable_fd();
  std::thread other([&] {
    auto out = topic.publisher();
    for (int i = 0; i < count; ++i) {
      out.publish(i);
      if (i % 64 == 0) std::this_thread::yield();
    }
  });
  int next = 0;
  bool in_order = true;
  bool woken = true;
  while (next < count && woken) {
    woken = is_readable(fd, 20'000);
    in.poll([&](const int& i) { in_order = in_order && i == next++; });
  }
  if (!woken) bus.abort();
  other.join();
  CHECK(woken);
  CHECK(in_order);
  CHECK(next == count);
}
