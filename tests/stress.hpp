// How much a stress test does: scaled by the environment variable ACTORBUS_STRESS, a factor, 1 by default.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace actorbus::testing {

/// `n` times the factor, at least 1.
inline std::size_t scaled(std::size_t n) {
  const char* text = std::getenv("ACTORBUS_STRESS");
  const double factor = text != nullptr ? std::strtod(text, nullptr) : 1.0;
  return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(n) * factor));
}

}  // namespace actorbus::testing
