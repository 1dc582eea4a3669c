// For events of several topics, which have no order among them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace actorbus::testing {

inline std::vector<std::string> sorted(std::vector<std::string> of) {
  std::sort(of.begin(), of.end());
  return of;
}

}  // namespace actorbus::testing
