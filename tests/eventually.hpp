// Waiting for what another thread brings about.
#pragma once

#include <chrono>
#include <thread>

namespace actorbus::testing {

/// Looks until `done()`, 20 seconds at most; returns the last look.
template <class Predicate>
bool eventually(Predicate done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return done();
    std::this_thread::yield();
  }
  return true;
}

}  // namespace actorbus::testing
