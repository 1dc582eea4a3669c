// The cursor that the reading of a stream keeps in Redis, under its name.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/stream_feed.hpp>
#include <bridges/redis/stream_reader.hpp>

namespace actorbus::redis {

/// A key that does not tell its topic, as Litestar's does not, may be read for another one elsewhere under the same
/// name.
std::string stream_feed::cursor_key() const {
  const bool tells_topic = as_.topic_of_key(core_.options().prefix, key_).has_value();
  std::string key = key_;
  if (!tells_topic) (key += ':') += topic_.name();
  return (key += ":cursor:") += with_.resume_as;
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

void stream_feed::resume(const reply& saved) {
  is_broken_ = is_unresumed_ = saved.is_error();
  if (is_unresumed_) return reader_.broken(*this, cursor_key() + ": " + std::string(saved.text));
  if (!saved.is_text()) return;  // there is none yet
  resumed_ = saved_cursor::parse(saved.text);
  if (!resumed_) {
    core_.warn("no cursor", cursor_key() + " holds no cursor, as '1526919030474-55 12' is one: the stream '" + key_ +
                                "' is read as if for the first time");
  }
}

}  // namespace actorbus::redis
