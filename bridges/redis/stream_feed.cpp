#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/stream_feed.hpp>

#include <charconv>

#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/stream_reader.hpp>

namespace actorbus::redis {

namespace {

/// How long a full topic is left alone, and a stream that cannot be read.
constexpr std::chrono::microseconds pause{500};

}  // namespace

std::string print_of(std::span<const field_view> fields) {
  std::string all;
  for (const auto& each : fields) all.append(each.name).append(1, '\0').append(each.value).append(1, '\0');
  return all;
}

stream_feed::stream_feed(bridge_core& of, stream_reader& by, std::string key, std::string topic, const wire_format& as,
                         const route_type& type, const stream_options& with, age how_old)
    : core_(of),
      reader_(by),
      key_(std::move(key)),
      as_(as),
      with_(with),
      age_(how_old),
      topic_(of, std::move(topic), type),
      later_(of.loop().context()) {}

std::size_t stream_feed::waiting() const {
  std::size_t sum = 0;
  for (const auto& each : backlog_) sum += each.entries.size() - each.next;
  return sum;
}

void stream_feed::begin(connection& by) {
  is_broken_ = false;
  if (cursor_.has_begun()) return;
  if (!with_.resume_as.empty()) ask(by, step::saved);
  ask(by, step::facts);
}

void stream_feed::ask(connection& by, step what) {
  switch (what) {
    case step::saved:
      append_command(by.out(), {"GET", cursor_key()});
      break;
    case step::facts:
      append_command(by.out(), {"XINFO", "STREAM", key_});
      break;
    case step::oldest:
      append_command(by.out(), {"XREVRANGE", key_, "+", "-", "COUNT", std::to_string(with_.from.count())});
      break;
  }
  asked_.push_back(what);
  by.expect(*this, 1);
}

void stream_feed::take(const reply& what, connection& by) {
  if (asked_.empty()) return;
  const step to = asked_.front();
  asked_.pop_front();
  switch (to) {
    case step::saved:
      if (what.is_text()) read_saved(what.text);
      return;
    case step::facts: {
      const bool is_missing = what.is_error() && what.text.find("no such key") != std::string_view::npos;
      if (what.is_error() && !is_missing) return reader_.broken(*this, std::string(what.text)), void(is_broken_ = true);
      facts_ = stream_facts::of(what);
      if (resumed_) return begin_at(*resumed_);
      if (with_.after) return begin_at(*with_.after);
      if (age_ == age::made_since) return begin_at({});
      const auto start = stream_cursor::start_of(with_.from, facts_);
      if (start) return begin_at(*start);
      return ask(by, step::oldest);
    }
    case step::oldest: {
      const auto oldest = what.is_array() && !what.elements.empty() && !what.elements.back().elements.empty()
                              ? stream_id::parse(what.elements.back().elements[0].text)
                              : std::nullopt;
      return begin_at(oldest ? oldest->previous() : facts_.last_generated);
    }
  }
}

void stream_feed::lost(std::size_t) { asked_.clear(); }

void stream_feed::begin_at(stream_id position) {
  const bool asks = with_.after || with_.from.kind() != replay_kind::live;
  const bool replays = resumed_ || (asks && age_ == age::from_the_start);
  cursor_.begin(position, facts_, replays ? std::optional(facts_.last_generated) : std::nullopt, resumed_count_,
                resumed_ || with_.after);
  if (facts_.exists || resumed_) look_at(facts_);
  hand_on();
  reader_.pump();
}

void stream_feed::on_lost() { asked_.clear(); }

void stream_feed::look(const reply& info) {
  if (info.is_error() && info.text.find("no such key") == std::string_view::npos) {
    is_broken_ = true;
    return reader_.broken(*this, std::string(info.text));
  }
  look_at(stream_facts::of(info));
}

void stream_feed::look_at(const stream_facts& now) {
  if (!backlog_.empty()) return;  // what was read is not handed on: the cursor is behind
  const auto found = cursor_.look(now);
  using kind = stream_cursor::finding::kind;
  if (found.what == kind::trimmed) {
    notices_.push_back(trimmed{.topic = {}, .first = found.first.to_string(), .last = found.last.to_string()});
  } else if (found.what == kind::reset) {
    notices_.push_back(epoch_reset{.topic = {}, .reason = found.reason});
  }
  if (found.what != kind::nothing) hand_on();
}

void stream_feed::keep(std::span<reply> entries, std::shared_ptr<arena> memory) {
  if (entries.empty()) return;
  const reply& newest = entries.back();
  const auto last = newest.elements.empty() ? std::nullopt : stream_id::parse(newest.elements[0].text);
  if (!last) return core_.warn("no entries", "the server answered XREAD with something else");
  backlog_.push_back({std::move(memory), entries, 0, *last});
}

bool stream_feed::tell_notices() {
  while (!notices_.empty()) {
    if (topic_.tell(notices_.front()) == inbound_topic::outcome::full) return false;
    notices_.pop_front();
  }
  return true;
}

void stream_feed::hand_on() {
  if (stopped_) return;
  if (topic_.is_full() && topic_.retry() == inbound_topic::outcome::full) return come_back();
  if (!tell_notices()) return come_back();
  while (!backlog_.empty()) {
    if (!hand_on(backlog_.front())) return come_back();
    backlog_.pop_front();
  }
  if (topic_.is_full()) return come_back();  // the last event is held
  if (cursor_.has_begun() && cursor_.has_caught_up()) {
    notices_.push_back(caught_up{.topic = {}, .sequence = 0});
    if (!tell_notices()) return come_back();
  }
  save();
}

bool stream_feed::hand_on(batch& from) {
  for (; from.next < from.entries.size(); ++from.next) {
    if (topic_.is_full()) return false;
    const reply& entry = from.entries[from.next];
    const auto id = entry.elements.size() < 2 ? std::nullopt : stream_id::parse(entry.elements[0].text);
    if (!id) continue;
    if (!hand_on(entry, *id)) return false;
    cursor_.advance(*id);
  }
  return true;
}

bool stream_feed::hand_on(const reply& entry, stream_id) {
  const auto& words = entry.elements[1].elements;  // empty for one that was deleted meanwhile
  fields_.clear();
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields_.push_back({words[i].text, words[i + 1].text});
  events_.clear();
  const std::string_view id = entry.elements[0].text;
  if (const fault wrong = read_entry_or_letter(as_, fields_, events_)) {
    ++core_.counts.decode_failures;
    core_.warn("not decodable", "entry " + std::string(id) + " of '" + key_ + "' was set aside: " + wrong);
    return true;
  }
  if (!as_.entries_carry_origin() && place_ == 0 && core_.echoes.is_echo(key_, print_of(fields_))) {
    ++core_.counts.echoes;
    return true;
  }
  for (; place_ < events_.size(); ++place_) {
    if (topic_.is_full()) return false;
    topic_.offer(events_[place_], as_.entry_shape(), id);
  }
  place_ = 0;
  return true;
}

void stream_feed::come_back() {
  if (std::exchange(waits_, true)) return;
  later_.expires_after(pause);
  later_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->waits_ = false;
    self->hand_on();
    if (self->wants_more()) self->reader_.interrupt();
  });
}

void stream_feed::save() {
  if (with_.resume_as.empty() || saving_ || !cursor_.has_begun() || saved_ == cursor_.position() ||
      !core_.commands().is_ready())
    return;
  saving_ = true;
  saved_ = cursor_.position();
  append_command(core_.commands().out(), {"SET", cursor_key(), written()});
  expect_once(core_.commands(), [weak = weak_from_this()](const reply*) {
    const auto self = weak.lock();
    if (!self) return;
    self->saving_ = false;
    self->save();
  });
}

/// The id, and how many entries were ever added up to it.
std::string stream_feed::written() const {
  const auto read = cursor_.read();
  return saved_.to_string() + (read ? ' ' + std::to_string(*read) : "");
}

void stream_feed::read_saved(std::string_view text) {
  const auto space = text.find(' ');
  resumed_ = stream_id::parse(text.substr(0, space));
  if (space == std::string_view::npos) return;
  std::uint64_t count = 0;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data() + space + 1, end, count).ptr == end) resumed_count_ = count;
}

void stream_feed::stop() {
  if (!stopped_) save();
  stopped_ = true;
  later_.cancel();
}

}  // namespace actorbus::redis
