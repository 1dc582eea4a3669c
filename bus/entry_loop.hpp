// The loop over a batch that every sink runs: when to stop, whom to skip, what to count. The innermost loop of
// delivery.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include <bus/reader.hpp>
#include <bus/sink.hpp>

namespace actorbus::core {

/// The notice in an entry that a bridge put into the log, as subscribers are told it.
inline notice notice_in(const entry_view& view) {
  return std::visit(
      [&](auto told) -> notice {
        told.topic = view.topic();
        return told;
      },
      *view.at->note->notice);
}

/// Calls `call(view)` for each entry that passes the filter, `tell(notice)` for each that is a notice. Leaves the
/// cursor at the first entry that was not passed on.
template <class Call, class Tell>
void for_each_entry(reader& by, const batch& entries, Call&& call, Tell&& tell) {
  cursor& at = entries.from;
  const filter& where = by.where();
  const std::uint64_t may_lag = entries.replay != nullptr || at.blocks() ? cursor::unlimited : at.capacity();
  const std::uint64_t past = entries.first + entries.count;
  for (std::uint64_t sequence = entries.first; sequence != past; ++sequence) {
    if (by.must_stop()) return;
    if (may_lag != cursor::unlimited && at.lag_at(sequence) > may_lag) return;
    const entry_view view = entries.view(sequence);
    std::shared_ptr<void> alive;  // `where` and whatever takes notices belong to the handler's object too
    if (!by.lock_owner(alive)) return;
    if (view.at->note != nullptr && view.at->note->notice) {
      tell(notice_in(view));
      cursor::bump(at.counts.delivered);
    } else if (where && !where(view.metadata())) {
      cursor::bump(at.counts.filtered);
    } else {
      call(view);
      cursor::bump(at.counts.delivered);
    }
    entries.advance(sequence);
  }
}

}  // namespace actorbus::core
