// What a bus's workers do while there is nothing to run.
#pragma once

namespace actorbus {

enum class idle_strategy {
  park,  ///< They sleep: an idle bus costs no processor time, a wake-up what the kernel takes to wake a thread.
  spin,  ///< They keep looking: a wake-up takes well under a microsecond, and each worker keeps one core busy, always.
};

}  // namespace actorbus
