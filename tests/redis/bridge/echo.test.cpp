// What a process sent does not come back to it, nor does it loop among processes.
#include <map>
#include <memory>

#include "tests/eventually.hpp"
#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/proxy.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

using processes = std::vector<std::unique_ptr<process>>;

void route(process& one, bool by_stream, redis::format as) {
  if (by_stream) {
    one.redis.stream<std::string>("x", {.format = as});
  } else {
    one.redis.pubsub<std::string>("x", {.format = as});
  }
}

/// How often each came.
std::map<std::string, int> counts(inbox<std::string>& from, std::size_t how_many) {
  std::map<std::string, int> result;
  for (const auto& each : read(from, how_many)) ++result[each];
  return result;
}

}  // namespace

TEST_CASE("two and three processes, both ways: each event is once in each, also equal ones", "[redis][echo]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::litestar);
  const bool by_stream = GENERATE(false, true);
  const std::size_t count = GENERATE(std::size_t{2}, std::size_t{3});
  CAPTURE(redis::to_string(format), by_stream, count);
  const redis_server server;
  processes all;
  std::vector<inbox<std::string>> in;
  for (std::size_t i = 0; i < count; ++i) {
    auto& one = *all.emplace_back(std::make_unique<process>(server));
    in.push_back(one.bus.topic<std::string>("x").inbox());
    route(one, by_stream, format);
  }
  for (auto& each : all) REQUIRE(each->redis.wait_ready(patience));
  constexpr int events = 200;
  std::map<std::string, int> wanted;
  for (int i = 0; i < events; ++i) {
    for (std::size_t p = 0; p < count; ++p) {
      // Half of them are the same whoever sends them, and one after the other.
      const std::string what = i % 2 == 0 ? "same" : std::to_string(p) + "." + std::to_string(i);
      all[p]->bus.topic<std::string>("x").publish(what);
      ++wanted[what];
    }
  }
  for (auto& each : in) CHECK(counts(each, count * events) == wanted);
  // Nothing more is on its way: what comes now is the next that is published, from each to all.
  for (std::size_t p = 0; p < count; ++p) {
    const std::string what = "end " + std::to_string(p);
    all[p]->bus.topic<std::string>("x").publish(what);
    for (auto& each : in) CHECK(read(each, 1) == std::vector{what});
  }
}

TEST_CASE("after a lost connection an echo can only appear behind a gap, and only where no origin is carried",
          "[redis][echo]") {
  const auto format = GENERATE(redis::format::native, redis::format::raw, redis::format::litestar);
  CAPTURE(redis::to_string(format));
  const redis_server server;
  proxy between(server);
  process a(between.uri(), {.retry_first = 1ms, .retry_most = 5ms});
  std::mutex mutex;
  std::vector<std::string> told;
  auto topic = a.bus.topic<std::string>("x");
  const auto s = topic.subscribe(overloaded{[&](const event<std::string>& e) {
                                              std::lock_guard lock(mutex);
                                              told.push_back(e.origin() == 0 ? *e : "echo of " + *e);
                                            },
                                            [&](const gap&) {
                                              std::lock_guard lock(mutex);
                                              told.emplace_back("gap");
                                            }});
  route(a, false, format);
  REQUIRE(a.redis.wait_ready(patience));
  int published = 0;
  constexpr int each_round = 400;
  for (int cuts = 0; cuts < 10; ++cuts) {
    while (published < each_round * cuts + 200) topic.publish(std::to_string(published++));
    between.cut();
    while (published < each_round * (cuts + 1)) topic.publish(std::to_string(published++));
    REQUIRE(eventually([&] { return a.redis.stats().gaps > static_cast<std::uint64_t>(cuts); }));
  }
  REQUIRE(a.redis.flush(patience));
  redis_client(server).run("PUBLISH", format == redis::format::litestar ? "x" : "t:x", "end");
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return !told.empty() && told.back() == "echo of end";  // from outside
  }));
  std::lock_guard lock(mutex);
  std::map<std::string, int> echoes;
  const std::string mark = "echo of ";
  int gaps = 0;
  for (const auto& each : told) {
    if (each == "gap") ++gaps;
    if (!each.starts_with(mark) || each == "echo of end") continue;
    CAPTURE(each);
    // Behind the gap of the loss that came in the event's own round, not that of an earlier one.
    CHECK(gaps > std::stoi(each.substr(mark.size())) / each_round);
    CHECK(format != redis::format::native);
    CHECK(++echoes[each] == 1);
  }
}
