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
      // What was trimmed before the replay began is not its loss.
      const stream_id asked = stream_id::at(from.time()).previous();
      return now.first ? std::max(asked, now.first->previous()) : now.last_generated;
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
  if (read_ || goes_on || !now.added) return;
  if (position_ == now.last_generated) {
    read_ = now.added;
  } else if (now.first && position_ < *now.first) {
    read_ = *now.added - std::min(*now.added, now.length);
  }
}

stream_cursor::finding stream_cursor::start_again(const char* reason) {
  position_ = {};
  read_ = 0;
  suspects_ = false;
  return {finding::kind::reset, {}, {}, reason};
}

stream_cursor::finding stream_cursor::look(const stream_facts& now) {
  const bool existed = existed_ || position_ != stream_id{};
  const std::uint64_t added = added_;
  existed_ = now.exists;
  added_ = now.added.value_or(0);
  lag_ = 0;
  if (!now.exists) return existed ? start_again("the stream was deleted") : finding{};
  // Newer ids than ours, and yet no more entries than we know: it is not the stream that we know.
  const bool is_recounted = now.added && read_ && position_ < now.last_generated && *now.added <= *read_;
  const bool is_another = now.last_generated < position_ || (now.added && *now.added < added) || is_recounted;
  if (is_another) return start_again("the stream was deleted and made anew");
  if (now.first && position_ < now.last_generated) lag_ = now.length;
  const bool suspects = std::exchange(suspects_, false);
  if (position_ == now.last_generated) {
    read_ = now.added;
    return {};
  }
  // Behind the position: added less what is still there. Servers before 7 do not count.
  if (!now.added || (now.first && *now.first <= position_)) return {};
  const std::uint64_t gone = *now.added - std::min(*now.added, now.length);
  const bool is_missing = read_ ? gone > *read_ : suspects && gone != 0;
  if (!is_missing) return {};
  const stream_id last = now.first ? now.first->previous() : now.last_generated;
  const finding lost{finding::kind::trimmed, position_.next(), last};
  position_ = last;
  read_ = gone;
  return lost;
}

bool stream_cursor::has_caught_up() {
  if (!replay_to_ || position_ < *replay_to_) return false;
  replay_to_.reset();
  return true;
}

}  // namespace actorbus::redis
