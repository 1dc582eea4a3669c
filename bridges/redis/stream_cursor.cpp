#include <bridges/redis/stream_cursor.hpp>

#include <algorithm>
#include <utility>

namespace actorbus::redis {

stream_facts stream_facts::of(const reply& info) {
  stream_facts facts;
  if (!info.is_array()) return facts;
  facts.exists = true;
  for (std::size_t i = 0; i + 1 < info.elements.size(); i += 2) {
    const auto name = info.elements[i].text;
    const reply& value = info.elements[i + 1];
    const auto id = stream_id::parse(value.text);
    if (name == "length") facts.length = static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer, 0));
    if (name == "last-generated-id" && id) facts.last_generated = *id;
    if (name == "entries-added") facts.added = static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer, 0));
    if (name == "first-entry" && !value.elements.empty()) facts.first = stream_id::parse(value.elements[0].text);
    if (name == "last-entry" && !value.elements.empty()) facts.last = stream_id::parse(value.elements[0].text);
  }
  return facts;
}

std::optional<stream_id> stream_cursor::start_of(const replay& from, const stream_facts& now) {
  switch (from.kind()) {
    case replay_kind::live:
      return now.last_generated;
    case replay_kind::all:
    case replay_kind::after:  // refused when the route was made
      return now.first ? now.first->previous() : now.last_generated;
    case replay_kind::since: {
      // What was trimmed before the replay began is not its loss, and a time that the server's clock has not reached
      // is where the stream ends: a position beyond that would look like one in another stream.
      const stream_id asked = stream_id::at(from.time()).previous();
      return now.first ? std::min(std::max(asked, now.first->previous()), now.last_generated) : now.last_generated;
    }
    case replay_kind::last:
      if (from.count() == 0 || !now.first) return now.last_generated;
      return std::nullopt;
  }
  return now.last_generated;
}

void stream_cursor::begin(stream_id position, const stream_facts& now, std::optional<stream_id> replay_to,
                          std::optional<std::uint64_t> read, bool goes_on) {
  begun_ = true;
  position_ = position;
  replay_to_ = replay_to;
  existed_ = now.exists;
  added_ = now.added.value_or(0);
  read_ = read;
  suspects_ = goes_on && !read;
  if (read_ || goes_on) return;
  if (!now.exists) read_ = 0;
  if (!now.added) return;
  if (position_ >= now.end()) {
    read_ = now.added;
  } else if (now.first && position_ < *now.first) {
    read_ = *now.added - std::min(*now.added, now.length);
  }
}

stream_cursor::finding stream_cursor::start_again(const stream_facts& now, const char* reason) {
  position_ = {};
  read_ = 0;
  suspects_ = false;
  if (replay_to_) replay_to_ = now.end();
  return {.what = finding::kind::reset, .reason = reason};
}

/// Whether it cannot be the stream that we know: an id or a count has gone back.
bool stream_cursor::is_another(const stream_facts& now, const std::optional<stream_read>& what) const {
  if (now.last_generated < (what ? what->last : position_)) return true;
  if (!now.added) return false;
  if (*now.added < added_) return true;
  if (!read_) return false;
  // Newer entries than ours, and yet no more than we know. Of those that were deleted nobody can tell whether they were
  // counted before.
  const stream_id newest = now.first ? now.end() : now.last_generated;
  if (what ? *now.added < *read_ + what->count : position_ < newest && *now.added <= *read_) return true;
  // Everything that we know is gone, and yet fewer entries are.
  const bool is_past = !now.first || position_ < *now.first;
  return is_past && *now.added - std::min(*now.added, now.length) < *read_;
}

stream_cursor::finding stream_cursor::look(const stream_facts& now, const std::optional<stream_read>& what) {
  const bool existed = existed_ || position_ != stream_id{} || what;
  existed_ = now.exists;
  lag_ = 0;
  if (!now.exists) {
    added_ = 0;
    return existed ? start_again(now, "the stream was deleted") : finding{};
  }
  const bool is_new = is_another(now, what);
  added_ = now.added.value_or(0);
  if (is_new) return start_again(now, "the stream was deleted and made anew");
  const finding found = pass(now, what);
  if (position_ >= now.end()) {
    reach_end(now);
  } else {
    lag_ = now.added && read_ ? std::min(*now.added - std::min(*now.added, *read_), now.length) : now.length;
  }
  return found;
}

/// What was added behind the newest entry was deleted there, as a letter is when it is put back: nobody's loss, and
/// never to come.
void stream_cursor::reach_end(const stream_facts& now) {
  if (replay_to_) replay_to_ = std::min(*replay_to_, position_);
  position_ = std::max(position_, now.last_generated);
  read_ = now.added;
}

/// What is trimmed is trimmed from the front: how much of it was not read is what is gone, less what we know. Servers
/// before 7 do not count.
stream_cursor::finding stream_cursor::pass(const stream_facts& now, const std::optional<stream_read>& what) {
  using kind = finding::kind;
  const bool suspects = std::exchange(suspects_, false);
  const bool is_past = (!now.first || position_ < *now.first) && position_ < now.last_generated;
  finding found{.read_before = read_};
  if (now.added && is_past) {
    const std::uint64_t gone = *now.added - std::min(*now.added, now.length);
    const std::uint64_t ours = what ? what->gone : 0;
    // If we do not know how many we read: when the front of the stream has overtaken us, some are missing.
    const bool is_missing = read_ ? gone > *read_ + ours : !suspects || gone > ours;
    const bool is_behind = what && what->gone == what->count;
    if (is_missing) {
      found.what = kind::trimmed;
      found.first = position_.next();
      found.is_behind = is_behind;
      if (what && !is_behind) {
        found.last = what->first.previous();
        found.read_before = read_ = gone - std::min(gone, ours);
      } else {
        found.last = now.first ? now.first->previous() : now.last_generated;
        position_ = found.last;
        read_ = gone;
        return found;
      }
    }
  }
  if (what) {
    position_ = what->last;
    if (read_) *read_ += what->count;
  }
  return found;
}

bool stream_cursor::has_caught_up(stream_id handed_on) {
  if (!replay_to_ || handed_on < *replay_to_) return false;
  replay_to_.reset();
  return true;
}

}  // namespace actorbus::redis
