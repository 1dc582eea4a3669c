// The part of the judgement about what is not there: jumps in the sequences, and accepted events that never came.
#pragma once

#include "tests/contract/accepted_index.hpp"
#include "tests/contract/reader.hpp"

namespace actorbus::contract {

/// Every sequence from the reader's start on is accounted for once, and each notice is exact and in its place.
void judge_sequences(reader& by);

/// Every event accepted for the reader came, or its loss is excused by what was promised. The sequences in `accepted`
/// are known from all readers.
void judge_losses(reader& by, const accepted_index& accepted);

}  // namespace actorbus::contract
