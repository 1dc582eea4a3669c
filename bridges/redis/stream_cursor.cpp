#include <bridges/redis/stream_cursor.hpp>

#include <algorithm>

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
    if (name == "max-deleted-entry-id" && id) facts.max_deleted = *id;
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

void stream_cursor::begin(stream_id position, const stream_facts& now, std::optional<stream_id> replay_to) {
  begun_ = true;
  position_ = position;
  replay_to_ = replay_to;
  existed_ = now.exists;
  added_ = now.added.value_or(0);
}

stream_cursor::finding stream_cursor::start_again(const char* reason) {
  position_ = {};
  return {finding::kind::reset, {}, {}, reason};
}

stream_cursor::finding stream_cursor::look(const stream_facts& now) {
  const bool existed = existed_ || position_ != stream_id{};
  const std::uint64_t added = added_;
  existed_ = now.exists;
  added_ = now.added.value_or(0);
  lag_ = 0;
  if (!now.exists) return existed ? start_again("the stream was deleted") : finding{};
  const bool is_another = now.last_generated < position_ || (now.added && *now.added < added);
  if (is_another) return start_again("the stream was deleted and made anew");
  if (now.first && position_ < now.last_generated) lag_ = now.length;
  // An entry deleted by itself has older ones before it; what was trimmed has none.
  if (now.max_deleted <= position_ || (now.first && *now.first < now.max_deleted)) return {};
  const finding lost{finding::kind::trimmed, position_.next(), now.max_deleted};
  position_ = now.max_deleted;
  return lost;
}

bool stream_cursor::has_caught_up() {
  if (!replay_to_ || position_ < *replay_to_) return false;
  replay_to_.reset();
  return true;
}

}  // namespace actorbus::redis
