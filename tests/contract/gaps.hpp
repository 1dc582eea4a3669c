// The part of the judgement about losses that a bridge could only tell the place of: where events of a publisher are
// missing, a notice must stand between the events around them, or, where no order is promised, behind those before.
#pragma once

#include "tests/contract/accepted_index.hpp"
#include "tests/contract/reader.hpp"

namespace actorbus::contract {

/// Every event accepted for the reader came, or its place is in a gap, or among events told as lost. For one that stops
/// or begins in the middle, what is missing there is not missed. Each member of a group is taken by itself.
void judge_gaps(reader& by, const accepted_index& accepted);

}  // namespace actorbus::contract
