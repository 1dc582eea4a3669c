// The states of a modelled doorbell, as in bus/doorbell.hpp.
#pragma once

namespace actorbus::model {

enum bell_state { idle, rung, running, stalled };

}  // namespace actorbus::model
