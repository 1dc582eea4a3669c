// Where a new cursor begins: behind what its replay asks for, and how the replayed part joins the live one.
#include <algorithm>

#include <bus/event.hpp>
#include <bus/history_source.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

void topic_core::place(cursor& which) {
  log_.publish();
  const std::uint64_t end = log_.next();
  const std::uint64_t kept = std::min<std::uint64_t>(options().history, end - log_.first());
  const std::uint64_t oldest = std::max(end - kept, std::min(log_.begin(), end));
  const replay& from = which.from();
  std::uint64_t start = end;
  std::uint64_t trimmed = 0;
  bool reaches_back = false;  // beyond what the log has
  switch (from.kind()) {
    case replay_kind::live:
      break;
    case replay_kind::last:
      reaches_back = from.count() > end - oldest;
      start = reaches_back ? oldest : end - from.count();
      break;
    case replay_kind::all:
      reaches_back = true;
      start = oldest;
      break;
    case replay_kind::after:
      start = std::min(from.sequence() + 1, end);
      if (start < oldest) {
        trimmed = oldest - start;
        start = oldest;
      }
      break;
    case replay_kind::since: {
      const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(from.time().time_since_epoch()).count();
      start = first_since(since, oldest, end);
      reaches_back = start == oldest;
      break;
    }
  }
  if (reaches_back) which.history = history_source();
  which.start(replay_from(start, end), end, trimmed);
  if ((from.kind() != replay_kind::live || has_ended()) && which.mark_ready()) which.reader().make_ready(which, this);
}

std::vector<replayed> topic_core::replay_from(std::uint64_t start, std::uint64_t end) {
  std::vector<replayed> older;
  while (start < end) {
    std::uint64_t position = start;
    stretch pinned = log_.pin(position);
    const std::uint64_t past = std::min(end, pinned.holder()->limit());
    older.push_back({std::move(pinned), position, past});
    start = past;
  }
  return older;
}

void topic_core::look_at_log(std::uint64_t sequence, const std::function<bool(const metadata&)>& take) const {
  const std::uint64_t end = log_.end();
  while (sequence < end) {
    const stretch pinned = log_.pin(sequence);  // moves on to what is not trimmed
    if (pinned.holder() == nullptr) return;
    const std::uint64_t past = std::min(end, pinned.holder()->limit());
    if (!look_at(*pinned.holder(), sequence, past, take)) return;
    sequence = std::max(sequence, past);
  }
}

std::uint64_t topic_core::first_since(std::int64_t time, std::uint64_t oldest, std::uint64_t end) {
  // Times never decrease along the log, so bisect.
  while (oldest < end) {
    std::uint64_t middle = oldest + (end - oldest) / 2;
    const stretch pinned = log_.pin(middle);
    if (pinned.holder()->at(middle)->time < time) {
      oldest = middle + 1;
    } else {
      end = middle;
    }
  }
  return oldest;
}

}  // namespace actorbus::core
