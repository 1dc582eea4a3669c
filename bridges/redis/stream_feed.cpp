#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/stream_feed.hpp>

#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/stream_reader.hpp>

namespace actorbus::redis {

namespace {

/// How long a full topic is left alone. Nothing tells a publisher that must not wait of room in its lane.
constexpr std::chrono::microseconds pause{500};

/// How often handlers are asked how far they are, for the cursor under its name.
constexpr std::chrono::milliseconds look_at_handlers{10};

std::optional<stream_id> id_of(const reply& entry) {
  return entry.elements.size() < 2 ? std::nullopt : stream_id::parse(entry.elements[0].text);
}

std::optional<stream_read> read_of(std::span<reply> entries, const stream_facts& now) {
  const auto first = entries.empty() ? std::nullopt : id_of(entries.front());
  const auto last = entries.empty() ? std::nullopt : id_of(entries.back());
  if (!first || !last) return std::nullopt;
  std::size_t gone = entries.size();
  if (now.first && *now.first <= *last) {
    const auto there = std::partition_point(entries.begin(), entries.end(),
                                            [&](const reply& each) { return id_of(each) < now.first; });
    gone = static_cast<std::size_t>(there - entries.begin());
  }
  return stream_read{*first, *last, entries.size(), gone};
}

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
      later_(
          of.loop(),
          [this] {
            hand_on();
            if (wants_more()) reader_.interrupt();
          },
          pause),
      save_later_(
          of.loop(), [this] { save(); }, look_at_handlers) {}

std::size_t stream_feed::waiting() const {
  std::size_t sum = 0;
  for (const auto& each : backlog_) sum += each.what.entries.size() - each.next;
  return sum;
}

stream_offset stream_feed::at() const {
  if (!backlog_.empty() && place_ != 0) {
    const batch& front = backlog_.front();
    if (const auto id = id_of(front.what.entries[front.next])) return {*id, static_cast<std::uint32_t>(place_)};
  }
  const stream_id next = handed_on_.id.next();
  if (begins_within_ && begins_within_->id == next) return *begins_within_;
  return {next, 0};
}

stream_offset stream_feed::next() {
  const auto pending = topic_.first_pending();
  return pending ? pending->at : at();
}

void stream_feed::begin(connection& by) {
  if (!asked_.empty()) return;  // it is being found out
  if (cursor_.has_begun()) {
    if (is_broken_) ask(by, step::facts);
    return;
  }
  is_broken_ = false;
  tail_.reset();
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
      append_command(by.out(), {"XREVRANGE", key_, tail_->newest(), "-", "COUNT", std::to_string(tail_->page())});
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
      return resume(what);
    case step::facts: {
      if (is_unresumed_) return;  // all is asked again
      const bool is_missing = what.is_error() && what.text.find("no such key") != std::string_view::npos;
      is_broken_ = what.is_error() && !is_missing;
      if (is_broken_) return reader_.broken(*this, std::string(what.text));
      if (cursor_.has_begun()) return reader_.pump();  // it was broken, and may be read again
      facts_ = stream_facts::of(what);
      if (resumed_) return begin_at(resumed_->behind);
      if (with_.after) return begin_at(*with_.after);
      if (age_ == age::made_since) return begin_at({});
      const auto start = stream_cursor::start_of(with_.from, facts_);
      if (start) return begin_at(*start);
      if (with_.from.count() / as_.max_events() >= facts_.length) return begin_at(facts_.first->previous());
      tail_.emplace(with_.from.count(), as_.max_events(), facts_.last_generated);
      return ask(by, step::oldest);
    }
    case step::oldest:
      return look_back(what, by);
  }
}

/// A page of entries, newest first: until the last(n) are among those that were looked at.
void stream_feed::look_back(const reply& page, connection& by) {
  is_broken_ = !page.is_array();
  if (is_broken_) return reader_.broken(*this, std::string(page.text));
  for (const reply& each : page.elements) {
    const auto id = id_of(each);
    if (id && !tail_->take(*id, read_events(each) == nullptr ? events_.size() : 0)) break;
  }
  if (!page.elements.empty() && id_of(page.elements.back()) && tail_->wants_more()) {
    tail_->turn_page();
    ask(by, step::oldest);
    return reader_.interrupt();  // else it would wait behind a read of others
  }
  const auto first = std::exchange(tail_, {})->first();
  if (!first) return begin_at(facts_.last_generated);
  if (first->place != 0) begins_within_ = first;
  begin_at(first->id.previous());
}

void stream_feed::lost(std::size_t) { asked_.clear(); }

void stream_feed::begin_at(stream_id position) {
  const bool asks = with_.after || with_.from.kind() != replay_kind::live;
  const bool replays = resumed_ || (asks && age_ == age::from_the_start);
  cursor_.begin(position, facts_, replays ? std::optional(facts_.end()) : std::nullopt,
                resumed_ ? resumed_->count : std::nullopt, resumed_ || with_.after);
  if (resumed_) begins_within_ = resumed_->within;
  handed_on_ = {cursor_.position(), cursor_.read()};
  if (facts_.exists || resumed_) look_at(facts_);
  hand_on();
  reader_.pump();
}

void stream_feed::on_lost() {
  asked_.clear();
  is_read_ = false;
  fresh_ = {};
}

void stream_feed::keep(std::span<reply> entries, std::shared_ptr<arena> memory) {
  if (entries.empty() || !is_read_) return;
  if (!id_of(entries.front()) || !id_of(entries.back()))
    return core_.warn("no entries", "the server answered XREAD with something else");
  fresh_ = {std::move(memory), entries};
}

void stream_feed::look(const reply& info) {
  is_read_ = false;
  if (info.is_error() && info.text.find("no such key") == std::string_view::npos) {
    fresh_ = {};  // read again
    is_broken_ = true;
    return reader_.broken(*this, std::string(info.text));
  }
  look_at(stream_facts::of(info));
}

void stream_feed::look_at(const stream_facts& now) {
  lot fresh = std::exchange(fresh_, {});
  const auto found = cursor_.look(now, read_of(fresh.entries, now));
  using kind = stream_cursor::finding::kind;
  const place behind{cursor_.position(), cursor_.read()};
  if (found.what == kind::reset) {
    begins_within_.reset();
    backlog_.push_back({.notice = epoch_reset{.topic = {}, .reason = found.reason}, .behind = behind});
    return;
  }
  const auto missing = [&] {
    return trimmed{.topic = {}, .first = found.first.to_string(), .last = found.last.to_string()};
  };
  const bool is_missing = found.what == kind::trimmed;
  if (is_missing && !found.is_behind && !fresh.entries.empty()) {
    backlog_.push_back({.notice = missing(), .behind = {found.last, found.read_before}, .what = std::move(fresh)});
    return;
  }
  if (!fresh.entries.empty()) backlog_.push_back({.what = std::move(fresh)});
  if (is_missing) backlog_.push_back({.notice = missing(), .behind = behind});
}

void stream_feed::hand_on() {
  if (stopped_ || is_over_ || !cursor_.has_begun()) return;
  if (topic_.is_full() && topic_.retry() == inbound_topic::outcome::full) return come_back();
  if (!hand_on_backlog()) return come_back();
  if (cursor_.has_caught_up(handed_on_.id)) {
    backlog_.push_back({.notice = caught_up{.topic = {}, .sequence = 0}, .behind = handed_on_});
    if (!hand_on_backlog()) return come_back();
  }
  save();
}

bool stream_feed::hand_on_backlog() {
  for (; !backlog_.empty(); backlog_.pop_front()) {
    if (!hand_on(backlog_.front())) return false;
  }
  return !topic_.is_full();  // the last event is held
}

bool stream_feed::hand_on(batch& from) {
  if (from.notice) {
    if (topic_.tell(*from.notice) == inbound_topic::outcome::full) return false;
    from.notice.reset();
    handed_on_ = from.behind;
  }
  const auto& entries = from.what.entries;
  for (; from.next < entries.size(); ++from.next) {
    if (topic_.is_full()) return false;
    const reply& entry = entries[from.next];
    const auto id = id_of(entry);
    if (id && !hand_on(entry, *id)) return false;
    if (id) handed_on_.id = *id;
    if (handed_on_.read) ++*handed_on_.read;
  }
  return true;
}

/// Into `fields_` and `events_`.
fault stream_feed::read_events(const reply& entry) {
  const auto& words = entry.elements[1].elements;  // empty for one that was deleted meanwhile
  fields_.clear();
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields_.push_back({words[i].text, words[i + 1].text});
  events_.clear();
  const fault wrong = read_entry_or_letter(as_, fields_, events_);
  // What tells another topic shares the key with ours, and nothing else.
  std::erase_if(events_, [&](const incoming& each) { return !each.topic.empty() && each.topic != topic_.name(); });
  return wrong;
}

bool stream_feed::hand_on(const reply& entry, stream_id number) {
  const std::string_view id = entry.elements[0].text;
  const entry_name name{id, number, handed_on_.read};
  if (const fault wrong = read_events(entry)) {
    ++core_.counts.decode_failures;
    core_.warn("not decodable", "entry " + std::string(id) + " of '" + key_ + "' was set aside: " + wrong);
    return true;
  }
  if (!as_.entries_carry_origin() && place_ == 0) {
    const std::string print = print_of(fields_);
    if (core_.echoes.is_echo(key_, print)) {
      ++core_.counts.echoes;
      return true;
    }
    if (core_.echoes.may_be_second(key_, print))
      return tell_before(gap{.topic = {}, .reason = "an event was sent again, and may have come back"});
  }
  if (begins_within_ && begins_within_->id == number) place_ = std::exchange(begins_within_, {})->place;
  for (; place_ < events_.size(); ++place_) {
    if (topic_.is_full()) return false;
    // What is not taken is not passed, for whoever resumes.
    is_over_ = topic_.offer(events_[place_], as_.entry_shape(), &name) == inbound_topic::outcome::over;
    if (is_over_) return false;
  }
  place_ = 0;
  return true;
}

/// Before the entry that is at hand, which is come back to.
bool stream_feed::tell_before(log_notice what) {
  backlog_.front().notice = std::move(what);
  backlog_.front().behind = handed_on_;
  return false;
}

void stream_feed::stop() {
  save_last();
  stopped_ = true;
  later_.cancel();
  save_later_.cancel();
}

}  // namespace actorbus::redis
