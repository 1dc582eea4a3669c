// What happens when a subscription lags a whole `capacity` behind its topic.
#pragma once

namespace actorbus {

enum class overflow {
  block,        ///< The topic stops appending until it catches up: publishers wait, nothing is lost.
  drop_oldest,  ///< It skips its oldest unread events, counts them, and is told which by `lagged`; nobody waits.
  latest,       ///< It keeps only the newest unread event of each topic; those it skips are counted, not told.
  disconnect,   ///< It ends, told by `finished` with finish_reason::disconnected; nobody waits.
};

}  // namespace actorbus
