// Makes every case of the conformance suite a test for each kind of delivery in ACTORBUS_DELIVERY_KINDS: a list of
// types, each with a static `kind()`. Define it, then include this, once in a program.
//
// A case that a kind cannot do is reported, with the feature that is missing.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/contract/delivery_cases.hpp"

namespace actorbus::contract {

inline void conform(const std::string& sentence, const delivery_case& what, const delivery_kind& kind) {
  REQUIRE(what.name == sentence);
  INFO(what.name << ", by " << kind.name);
  if (const auto missing = missing_for(what, kind); !missing.empty()) {
    WARN("not applicable to " << kind.name << ", which do not have: " << missing);
    return;
  }
  const std::string wrong = what.play(kind, run_size::full());
  CHECK(wrong == "");
}

/// All cases that apply, `times` times at once, in `times` threads.
inline std::string play_all_at_once(const delivery_kind& kind, std::size_t times) {
  std::mutex mutex;
  std::string wrong;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < times; ++i) {
    threads.emplace_back([&, i] {
      const auto& all = every_case();
      for (std::size_t j = 0; j < all.size(); ++j) {
        const delivery_case& what = *all[(i + j) % all.size()];  // each thread begins with another
        if (!missing_for(what, kind).empty()) continue;
        const std::string found = what.play(kind, run_size::small());
        std::lock_guard lock(mutex);
        if (!found.empty()) wrong += what.name + ": " + found;
      }
    });
  }
  for (auto& each : threads) each.join();
  return wrong;
}

}  // namespace actorbus::contract

#define ACTORBUS_CONFORMS(sentence, what)                                              \
  TEMPLATE_TEST_CASE(sentence, "[conformance]", ACTORBUS_DELIVERY_KINDS) {             \
    actorbus::contract::conform(sentence, actorbus::contract::what, TestType::kind()); \
  }

ACTORBUS_CONFORMS("what was published before is replayed to one that subscribes", publish_then_subscribe)
ACTORBUS_CONFORMS("everything published after subscribing arrives, values and headers equal", subscribe_then_publish)
ACTORBUS_CONFORMS("many publish while many subscribe: the same events for all, each publisher's in order",
                  concurrent_subscribe_and_publish)
ACTORBUS_CONFORMS("topics in parallel do not cross over", topics_in_parallel)
ACTORBUS_CONFORMS("an event whose handler throws is retried until it is handled, in its order", retry_until_handled)
ACTORBUS_CONFORMS("nothing arrives after cancel has returned", nothing_after_cancel)
ACTORBUS_CONFORMS("subscriptions come and go, ten at a time, and another misses nothing",
                  concurrent_subscribe_and_cancel)
ACTORBUS_CONFORMS("subscribing while all closes, ten at a time, succeeds or is refused as closed",
                  concurrent_subscribe_and_close)
ACTORBUS_CONFORMS("all subscribers see one total order", one_total_order)
ACTORBUS_CONFORMS("publishers that close with events in flight lose none", closed_in_flight)
ACTORBUS_CONFORMS("a new subscriber gets history, the others only what is new", history_for_the_new)
ACTORBUS_CONFORMS("a slow subscriber beside a fast one: both get everything", slow_beside_fast)
ACTORBUS_CONFORMS("one that stands still does not hold up another", still_beside_fast)
ACTORBUS_CONFORMS("a group shares the events: each to exactly one member", shared_in_a_group)
ACTORBUS_CONFORMS("a member that leaves hands on to the others", group_hands_on)
ACTORBUS_CONFORMS("what is cut off in between, twice, goes on with nothing missing but what was told",
                  cut_off_in_between)

TEMPLATE_TEST_CASE("the whole suite passes ten times at once", "[conformance][stress]", ACTORBUS_DELIVERY_KINDS) {
  const std::string wrong = actorbus::contract::play_all_at_once(TestType::kind(), 10);
  CHECK(wrong == "");
}
