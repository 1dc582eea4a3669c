// What a reader does with entries: one virtual call a batch, a typed loop inside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>

#include <bus/cursor.hpp>
#include <bus/event.hpp>
#include <bus/notices.hpp>
#include <bus/options.hpp>

namespace actorbus::core {

class reader;

/// Everything a handler that takes notices may be told, in order with the events.
using notice = std::variant<lagged, caught_up, finished, gap, trimmed, epoch_reset>;

/// Consecutive entries that are there to be read, of one cursor, in one pinned chunk.
struct batch {
  cursor& from;
  chunk& holder;
  std::uint64_t first;
  std::size_t count;
  const replayed* replay;  ///< null: live

  entry_view view(std::uint64_t sequence) const {
    return {&holder, holder.at(sequence), replay == nullptr || replay->numbered ? sequence : 0};
  }
  /// The next entry to be read, as the cursor stands now.
  std::uint64_t progress() const { return replay != nullptr ? replay->first : from.position(); }
  /// The call for the entry at `sequence` has ended.
  void advance(std::uint64_t sequence) const {
    if (replay != nullptr) {
      from.advance_replay();
    } else {
      from.advance(sequence + 1);
    }
  }
};

class sink {
 public:
  virtual ~sink() = default;

  /// Passes entries on, in order, advancing the cursor after each; fewer than given if the reader must stop
  /// or the cursor lags too far. An exception is the failing entry's; the cursor is still at it.
  virtual void take(reader& by, const batch& entries) = 0;

  virtual void tell(const notice& what) = 0;
};

}  // namespace actorbus::core
