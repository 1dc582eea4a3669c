// Faults mixed at random. What a seed did is done again with ACTORBUS_SEED set to it, as far as threads allow.
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

#include "tests/catch.hpp"
#include "tests/redis/faults/fault_mix.hpp"
#include "tests/redis/faults/memory_in_use.hpp"
#include "tests/redis/faults/traffic.hpp"
#include "tests/stress.hpp"

using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

std::uint64_t seed() {
  if (const char* given = std::getenv("ACTORBUS_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device()();
}

using flows = std::vector<std::unique_ptr<traffic>>;

std::unique_ptr<traffic> through(fault_mix& faults, traffic_options how) {
  how.alone = false;
  how.connected = connected(500ms);
  return std::make_unique<traffic>(faults.out_uri(), faults.in_uri(), std::move(how));
}

/// Everything goes on after each round, and in the end nothing is missing but what was told, and memory is back.
void live_through(fault_mix& faults, std::uint64_t seed, std::size_t rounds, const flows& all) {
  WARN("ACTORBUS_SEED=" << seed);
  const auto before = memory_in_use();
  std::minstd_rand pauses(static_cast<unsigned>(seed));
  for (const auto& each : all) each->flow();
  for (const auto& each : all) REQUIRE(each->moves(20));  // a stream that comes and goes unseen is nobody's loss
  for (std::size_t i = 0; i < rounds; ++i) {
    // A fault lasts for a while that the seed decides; what is waited for comes behind it.
    faults.round([&] { std::this_thread::sleep_for(std::chrono::milliseconds(pauses() % 150)); });
    INFO(faults.story());
    for (const auto& each : all) {
      if (each->moves(20)) continue;
      for (const auto& one : all) UNSCOPED_INFO(one->describe());
      FAIL("does not go on: " << each->describe());
    }
  }
  INFO(faults.story());
  std::uint64_t events = 0;
  for (const auto& each : all) {
    CHECK(each->verdict() == "");
    events += each->accepted();
  }
  CHECK(memory_is_back(before, events));
}

}  // namespace

TEST_CASE("streams live through faults mixed at random, and nothing is missing, doubled or out of order",
          "[redis][faults][stress]") {
  const auto chosen = seed();
  fault_mix faults(faults_of::everything, chosen);
  flows all;
  all.push_back(through(faults, {.by = way::deduplicated, .topics = {"d.1", "d.2", "d.3"}}));
  all.push_back(
      through(faults, {.by = way::deduplicated, .topics = {"p.1", "p.2"}, .format = actorbus::redis::format::packed}));
  all.push_back(through(faults, {.by = way::stream, .topics = {"s.1", "s.2"}}));
  all.push_back(through(faults, {.by = way::group, .topics = {"g.1", "g.2"}}));
  all.push_back(through(faults, {.by = way::deduplicated, .topics = {"b.1", "b.2"}, .both_ways = true}));
  live_through(faults, chosen, scaled(20), all);
}

TEST_CASE("publish/subscribe lives through faults mixed at random, and every loss lies inside a gap",
          "[redis][faults][stress]") {
  const auto chosen = seed();
  fault_mix faults(faults_of::everything, chosen);
  flows all;
  all.push_back(through(faults, {.by = way::pubsub, .topics = {"n.1", "n.2", "n.3"}}));
  all.push_back(through(faults, {.by = way::pubsub, .topics = {"b.1", "b.2"}, .both_ways = true}));
  all.push_back(
      through(faults, {.by = way::pubsub, .topics = {"p.1", "p.2"}, .format = actorbus::redis::format::packed}));
  live_through(faults, chosen, scaled(20), all);
}

TEST_CASE("publish/subscribe without room for a sender's word tells every loss that the receiver can notice",
          "[redis][faults][stress]") {
  const auto chosen = seed();
  fault_mix faults(faults_of::receivers, chosen);
  flows all;
  all.push_back(through(faults, {.by = way::pubsub, .topics = {"r.1", "r.2"}, .format = actorbus::redis::format::raw}));
  live_through(faults, chosen, scaled(10), all);
}

TEST_CASE("streams live through faults that take entries away, and every loss is told", "[redis][faults][stress]") {
  const auto chosen = seed();
  fault_mix faults(faults_of::entries, chosen);
  flows all;
  all.push_back(through(faults, {.by = way::deduplicated, .topics = {"d.1", "d.2"}, .may_lose = true}));
  all.push_back(through(faults, {.by = way::stream, .topics = {"s.1", "s.2"}, .may_lose = true}));
  all.push_back(through(faults, {.by = way::group, .topics = {"g.1", "g.2"}, .may_lose = true}));
  live_through(faults, chosen, scaled(20), all);
}
