// The cases that every kind of delivery is put through. Each is a function of a kind and the size of the run, and
// returns what was wrong, as a rule nothing.
//
// Threads: any; cases share nothing, so that many can run at once.
#pragma once

#include <string>
#include <vector>

#include "tests/contract/delivery_kind.hpp"

namespace actorbus::contract {

/// How much a case does.
struct run_size {
  std::size_t events;       ///< of a long stream
  std::size_t replayed;     ///< of a stream that history must hold, `history_kept` at most
  std::size_t publishers;   ///< where many publish at once
  std::size_t subscribers;  ///< where many subscribe at once
  std::size_t each;         ///< events of each of those publishers
  std::size_t topics;
  std::size_t rounds;          ///< of what is repeated
  std::size_t through_faults;  ///< events of a stream that is cut off in between

  /// As the issue of the suite says, scaled by ACTORBUS_STRESS.
  static run_size full();
  /// For runs beside each other.
  static run_size small();
};

struct delivery_case {
  std::string name;
  std::vector<bool features::*> needs;
  std::string (*play)(const delivery_kind&, const run_size&);
};

extern const delivery_case publish_then_subscribe;
extern const delivery_case subscribe_then_publish;
extern const delivery_case concurrent_subscribe_and_publish;
extern const delivery_case topics_in_parallel;
extern const delivery_case retry_until_handled;
extern const delivery_case nothing_after_cancel;
extern const delivery_case concurrent_subscribe_and_cancel;
extern const delivery_case concurrent_subscribe_and_close;
extern const delivery_case one_total_order;
extern const delivery_case closed_in_flight;
extern const delivery_case history_for_the_new;
extern const delivery_case slow_beside_fast;
extern const delivery_case still_beside_fast;
extern const delivery_case shared_in_a_group;
extern const delivery_case group_hands_on;
extern const delivery_case cut_off_in_between;

/// All of the above.
const std::vector<const delivery_case*>& every_case();

/// The features that `what` needs and `kind` does not have, by name; empty: it applies.
std::string missing_for(const delivery_case& what, const delivery_kind& kind);

}  // namespace actorbus::contract
