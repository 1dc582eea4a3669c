#include <bridges/redis/group_progress.hpp>

#include <algorithm>
#include <utility>

namespace actorbus::redis {

namespace {

/// Entries that are not there any more; 0 if the server does not count.
std::uint64_t gone_of(const stream_facts& now) {
  const std::uint64_t added = now.added.value_or(0);
  return added - std::min(added, now.length);
}

/// What was trimmed was before this.
stream_id gone_to(const stream_facts& now) { return now.first ? now.first->previous() : now.last_generated; }

}  // namespace

std::optional<group_facts> group_facts::of(const reply& groups, std::string_view name) {
  for (const reply& each : groups.elements) {
    group_facts facts;
    bool is_it = false;
    for (std::size_t i = 0; i + 1 < each.elements.size(); i += 2) {
      const auto what = each.elements[i].text;
      const reply& value = each.elements[i + 1];
      const auto number = static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer, 0));
      if (what == "name") is_it = value.text == name;
      if (what == "last-delivered-id") facts.delivered = stream_id::parse(value.text).value_or(stream_id{});
      if (what == "entries-read" && value.kind == reply_kind::integer) facts.read = number;
      if (what == "lag") facts.lag = value.kind == reply_kind::integer ? std::optional(number) : std::nullopt;
    }
    if (is_it) return facts;
  }
  return std::nullopt;
}

void group_progress::delivered(stream_id id) {
  if (id <= newest_here_) return;
  newest_here_ = id;
  ++added_here_;
}

/// Empty: it cannot be known while the group is somewhere in the middle, the server does not count, or the facts are of
/// two moments.
std::optional<std::uint64_t> group_progress::lost(const stream_facts& now, const group_facts& group) const {
  if (!now.added || !group.read || group.delivered > now.last_generated) return std::nullopt;
  if (group.delivered == now.last_generated) return *now.added - std::min(*now.added, *group.read);
  if (now.first && *now.first <= group.delivered) return std::nullopt;
  const std::uint64_t gone = gone_of(now);
  return gone - std::min(gone, *group.read);
}

/// Whatever the moment: entries may have been delivered here since.
bool group_progress::is_another(const stream_facts& now) const {
  if (!now.added) return false;
  // Newer entries than ours, and yet no more than we know.
  if (newest_here_ < now.last_generated && *now.added <= added_here_) return true;
  // Everything that we know is gone, and yet fewer entries are.
  return now.first && newest_here_ < *now.first && gone_of(now) < added_here_;
}

/// A group that begins in the middle of its stream, or behind a deleted entry, the server counts only at the ends.
void group_progress::count_lag(const stream_facts& now, const group_facts& group) {
  if (group.delivered < delivered_to_) passed_ = 0;  // made again further back
  const bool is_through = group.delivered >= now.end();
  if (now.added && is_through) passed_ = *now.added;
  if (now.added && now.first && group.delivered < *now.first) passed_ = gone_of(now);
  const std::uint64_t read = std::max(passed_, group.read.value_or(0));
  const std::uint64_t most = now.added ? std::min(*now.added - std::min(*now.added, read), now.length) : now.length;
  lag_ = is_through ? 0 : group.lag.value_or(most);
}

group_progress::finding group_progress::look(const stream_facts& now, const group_facts& group) {
  const bool is_new = now.last_generated < newest_ || (now.added && *now.added < added_) || is_another(now);
  finding found;
  if (is_new) found = start_again("the stream was deleted and made anew");
  count_lag(now, group);
  delivered_to_ = group.delivered;
  newest_ = now.last_generated;
  added_ = now.added.value_or(0);
  newest_here_ = std::max(newest_here_, newest_);
  added_here_ = std::max(added_here_, added_);
  const bool is_first = !std::exchange(has_looked_, true);
  if (is_first) known_to_ = group.delivered, gone_ = gone_of(now);
  const auto sum = lost(now, group);
  if (!sum) return found;
  const bool is_past = group.delivered < now.last_generated;  // and everything up to there is gone
  // What was lost before this consumer came, and is behind the group by now, is told to nobody.
  if (is_first && !told_) told_ = is_past ? 0 : *sum;
  // A server that forgot its count, as when it is restarted, counts what is lost anew: less than it did is not none.
  const bool is_counted = told_ && *sum >= *told_;
  const bool is_lost = is_counted ? *sum > *told_ : may_have_lost(now, known_to_);
  told_ = *sum;
  gone_ = gone_of(now);
  const stream_id before = std::exchange(known_to_, group.delivered);
  if (is_new || !is_lost) return found;
  return {.what = finding::kind::trimmed, .first = before.next(), .last = is_past ? gone_to(now) : group.delivered};
}

/// Something went since it was known what is lost, and that was not all in front of `place`. It may have been read.
bool group_progress::may_have_lost(const stream_facts& now, stream_id place) const {
  return gone_of(now) > gone_ && place < gone_to(now);
}

/// The server's count of the new group begins anew, and if that is in the middle, only when it is through.
group_progress::finding group_progress::regroup(const stream_facts& now, stream_id place) {
  const bool was_there = newest_here_ != stream_id{};
  if (!now.exists) return was_there ? start_again("the stream was deleted") : finding{};
  const bool is_new = now.last_generated < newest_here_ || (now.added && *now.added < added_here_) || is_another(now);
  if (is_new) return start_again("the stream was deleted and made anew");
  told_.reset();
  passed_ = 0;
  const stream_id from = std::min(place, known_to_);
  if (!has_looked_ || !may_have_lost(now, from)) return {};
  gone_ = gone_of(now);
  known_to_ = std::max(place, gone_to(now));
  return {.what = finding::kind::trimmed, .first = from.next(), .last = gone_to(now)};
}

group_progress::finding group_progress::start_again(const char* reason) {
  *this = {};
  return {.what = finding::kind::reset, .reason = reason};
}

}  // namespace actorbus::redis
