// Whether a text says something; the matchers for that differ between the versions of the test framework.
#pragma once

#include <string_view>

namespace actorbus::testing {

inline bool mentions(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace actorbus::testing
