// Waiting for what another thread brings about.
#pragma once

#include <chrono>
#include <thread>
#include <utility>

namespace actorbus::testing {

/// Looks until `done()`, or until `progress()` has returned the same for a minute; returns the last look.
template <class Predicate, class Progress>
bool eventually(Predicate done, Progress progress) {
  using clock = std::chrono::steady_clock;
  auto before = progress();
  auto since = clock::now();
  while (!done()) {
    if (auto now = progress(); now != before) {
      before = std::move(now);
      since = clock::now();
    } else if (clock::now() - since > std::chrono::minutes{1}) {
      return done();
    }
    std::this_thread::sleep_for(std::chrono::microseconds{200});  // leaves the processor to those who are waited for
  }
  return true;
}

/// Looks until `done()`, a minute at most; returns the last look.
template <class Predicate>
bool eventually(Predicate done) {
  return eventually(std::move(done), [] { return true; });
}

}  // namespace actorbus::testing
