// The cursor that the reading of a stream keeps in Redis, under its name.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <charconv>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/stream_feed.hpp>

namespace actorbus::redis {

/// A key that does not tell its topic, as Litestar's does not, may be read for another one elsewhere under the same
/// name.
std::string stream_feed::cursor_key() const {
  const bool tells_topic = as_.topic_of_key(core_.options().prefix, key_).has_value();
  return key_ + (tells_topic ? "" : ":" + topic_.name()) + ":cursor:" + with_.resume_as;
}

void stream_feed::save() {
  if (with_.resume_as.empty() || saving_ || stopped_ || !cursor_.has_begun()) return;
  if (!mark_.is_handled) {
    if (next() != at()) save_later_.plan(weak_from_this());  // what is not in the log yet is saved later
    std::string now = written();
    if (now == saved_) return;
    mark_ = {std::move(now), topic_.asks_whether_handled()};
  }
  if (!mark_.is_handled()) return save_later_.plan(weak_from_this());
  if (!core_.commands().is_ready()) return core_.commands().want();  // the route's `on_commands` comes back
  mark_.is_handled = nullptr;
  saving_ = true;
  saved_ = std::move(mark_.text);
  append_command(core_.commands().out(), {"SET", cursor_key(), saved_});
  expect_once(core_.commands(), [weak = weak_from_this()](const reply* what) {
    const auto self = weak.lock();
    if (!self) return;
    self->saving_ = false;
    if (what != nullptr && !what->is_error()) return self->save();
    self->saved_.clear();  // tried again behind the next read
    if (what != nullptr) {
      self->core_.warn("cursor not saved",
                       "the server did not take the cursor of '" + self->key_ + "': " + std::string(what->text));
    }
  });
}

void stream_feed::save_last() {
  saving_ = false;
  save();  // the place that was remembered, if it was handled meanwhile
  saving_ = false;
  save();  // that of now
}

/// The id of the last entry whose events are all in the log, or id and place of the last event that is, and how many
/// entries were ever added up to there, that one not counted.
std::string stream_feed::written() {
  const auto pending = topic_.first_pending();
  const stream_offset behind = pending ? pending->at : at();
  const auto read = pending ? pending->before : handed_on_.read;
  std::string text = behind.place == 0 ? behind.id.previous().to_string()
                                       : behind.id.to_string() + ':' + std::to_string(behind.place - 1);
  return read ? text + ' ' + std::to_string(*read) : text;
}

void stream_feed::read_saved(std::string_view text) {
  const auto space = text.find(' ');
  const std::string_view where = text.substr(0, space);
  const auto at = stream_offset::parse(where);
  if (!at) return;
  const bool is_within = where.find(':') != where.npos;
  resumed_ = is_within ? at->id.previous() : at->id;
  if (is_within) begins_within_ = {at->id, at->place + 1};
  if (space == std::string_view::npos) return;
  std::uint64_t count = 0;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data() + space + 1, end, count).ptr == end) resumed_count_ = count;
}

}  // namespace actorbus::redis
