// What a subscription is told beside its events, in its place among them: losses, ends, and what happened outside.
//
// A handler receives those notices that a non-template member of its `overloaded` takes.
// Every `topic` is valid during the call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace actorbus {

/// Events were dropped by this subscription's overflow::drop_oldest, or had been trimmed before replay::after reached
/// them. Comes where they would have come. Exact: they are those from sequence `first` to `last`, `count` in all.
struct lagged {
  std::string_view topic;
  std::uint64_t count, first, last;
};

/// The replay has been delivered; what follows is live. Comes once for each topic, also when there was nothing to
/// replay, never with replay::live. `sequence` is that of the last event replayed, 0 if there was none.
struct caught_up {
  std::string_view topic;
  std::uint64_t sequence;
};

/// Why a subscription gets no further events of a topic.
enum class finish_reason {
  finished,      ///< somebody called the topic's `finish`
  closed,        ///< the bus was closed
  disconnected,  ///< the subscription's overflow::disconnect acted
};

constexpr std::string_view to_string(finish_reason reason) noexcept {
  switch (reason) {
    case finish_reason::finished:
      return "finished";
    case finish_reason::closed:
      return "closed";
    case finish_reason::disconnected:
      return "disconnected";
  }
  return "unknown";
}

/// The last thing told about a topic, behind its last event.
struct finished {
  std::string_view topic;
  finish_reason reason;
};

/// A bridge was cut off from its source: events from outside may be missing here. How many is not known.
struct gap {
  std::string_view topic;
  std::string reason;
};

/// A bridge found that the server had trimmed entries before it could read them. Their ids lie from `first` to `last`,
/// both included; how many they were is not known.
struct trimmed {
  std::string_view topic;
  std::string first, last;
};

/// A bridge found its source deleted or recreated: what follows belongs to a new history.
struct epoch_reset {
  std::string_view topic;
  std::string reason;
};

/// What a bridge puts into a topic as an entry of its own: it takes a sequence number and reaches every subscription.
/// `caught_up` says there that the bridge has replayed what its source had, to subscriptions of every kind.
using log_notice = std::variant<gap, trimmed, epoch_reset, caught_up>;

}  // namespace actorbus
