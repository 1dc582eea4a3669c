// Where a subscription's handler runs.
#pragma once

namespace actorbus {

enum class run_on {
  pool,        ///< On whichever of the bus's workers is free.
  topic,       ///< Inside the topic, right behind the append: the shortest way, and a slow handler slows the topic.
  own_thread,  ///< On a thread that this subscription alone uses: for handlers that take long or wait.
};

}  // namespace actorbus
