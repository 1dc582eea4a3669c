// Prints the logs of a failed test case's servers. Compiled without the precompiled header: listeners need more of
// Catch2's second version than tests do.
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
using listener_base = Catch::EventListenerBase;
#else
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>
using listener_base = Catch::TestEventListenerBase;
#endif

#include <iostream>

#include "tests/redis/server_logs.hpp"

namespace {

class log_listener : public listener_base {
 public:
  using listener_base::listener_base;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    listener_base::testCaseStarting(info);
    actorbus::testing::take_server_logs();
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const auto logs = actorbus::testing::take_server_logs();
    if (!stats.totals.assertions.allOk()) {
      for (const auto& each : logs) std::cerr << each << '\n';
    }
    listener_base::testCaseEnded(stats);
  }
};

}  // namespace

CATCH_REGISTER_LISTENER(log_listener)
