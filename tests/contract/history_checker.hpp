// Judges a history: whether every subscriber received what it was promised, and nothing else.
//
// A topic's sequences are taken to begin at 1 and to count its accepted events.
// Threads: one at a time, after all that the history records has ended.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "tests/contract/history.hpp"

namespace actorbus::contract {

enum class finding_kind {
  lost,                 ///< An accepted event is missing, and not told, or not in a gap, where that is allowed.
  duplicated,           ///< An event came twice to a subscriber, or to members of one group, without saying so.
  reordered,            ///< An event came behind a later one of the same publisher.
  unexplained_gap,      ///< The sequences jump without a notice, or a notice is not exactly the jump.
  total_order_differs,  ///< Subscribers disagree on the sequence of an event, or one did not get them in sequence.
  foreign,  ///< An event that was never published, or to another topic, or with another value, or too early.
};

std::string_view to_string(finding_kind kind) noexcept;

struct finding {
  finding_kind kind;
  std::string subscriber;  ///< its name, or its group's
  std::string what;
};

std::ostream& operator<<(std::ostream& out, const finding& found);

/// All that is wrong, at most ten of a kind for each subscriber or group. `promised` holds for those without promises
/// of their own. Throws std::logic_error if the records themselves make no sense.
std::vector<finding> check(const history& what, const expectations& promised = {});

/// One line each, empty if there is none: CHECK(describe(check(history)) == "") shows them on failure.
std::string describe(const std::vector<finding>& findings);

}  // namespace actorbus::contract
