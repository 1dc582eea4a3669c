// A topic whose readers block stops when they lag and goes on when they made room. All its interleavings:
// tests/model/stall.test.cpp.
#include <atomic>

#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;

TEST_CASE("a topic of a small capacity stops and resumes and leaves nothing behind", "[topic][stress]") {
  const std::size_t capacity = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{3});
  bus b{{.workers = 2}};
  auto t = b.topic<std::size_t>("narrow", {.capacity = capacity});
  std::atomic<std::size_t> seen{0};
  auto sub = t.subscribe([&](const std::size_t&) { ++seen; }, {.run_on = run_on::own_thread});
  auto out = t.publisher();
  std::size_t sent = 0;
  bool all_came = true;
  for (std::size_t burst = 0; burst < testing::scaled(2'000) && all_came; ++burst) {
    for (std::size_t i = 0; i < capacity + burst % 4; ++i) out.publish(++sent);
    all_came = testing::eventually([&] { return seen == sent; });
  }
  CHECK(all_came);
}
