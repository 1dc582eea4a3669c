#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/stream_history.hpp>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <limits>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/expect_once.hpp>

namespace actorbus::redis {

namespace {

constexpr std::size_t page = 512;
constexpr std::size_t smallest_page = 16;
constexpr std::size_t most_lost = 8;

/// Between two looks whether what was published before is out, and the reading has begun.
constexpr std::chrono::milliseconds look_every{1};

std::optional<stream_id> id_of(const reply& entry) {
  return entry.elements.size() < 2 ? std::nullopt : stream_id::parse(entry.elements[0].text);
}

std::size_t wanted_of(const history_request& what) {
  if (what.from.kind() != replay_kind::last) return std::numeric_limits<std::size_t>::max();
  return what.from.count() - std::min<std::size_t>(what.from.count(), what.have);
}

}  // namespace

void stream_history::fetch(const std::weak_ptr<bridge_core>& of, const wire_format& as, const history_request& what,
                           past_taker then) {
  auto reading = std::make_shared<stream_history>(of, as, what, std::move(then));
  const auto core = of.lock();
  if (!core || core->is_closed()) return;  // its end answers
  core->loop().post([reading] {
    if (const auto living = reading->core_.lock()) living->add_history(reading);
    reading->prepare();
  });
}

stream_history::stream_history(const std::weak_ptr<bridge_core>& of, const wire_format& as, const history_request& what,
                               past_taker then)
    : core_(of), as_(as), what_(what), then_(std::move(then)), wanted_(wanted_of(what)) {
  if (what.from.kind() == replay_kind::since) since_ = stream_id::at(what.from.time());
}

stream_history::~stream_history() { finish(); }

void stream_history::finish() {
  if (!then_) return;
  std::reverse(entries_.begin(), entries_.end());
  std::exchange(then_, nullptr)(std::move(entries_), line_);
}

void stream_history::prepare() {
  const auto core = core_.lock();
  if (!core || core->is_closed()) return finish();
  const auto now = std::chrono::steady_clock::now();
  if (deadline_ == decltype(deadline_){}) {
    deadline_ = now + core->options().command_timeout;
    core->commands().want();
  }
  if (core->has_commands() && (core->is_settled(what_.topic, what_.until) || now >= deadline_)) {
    draw_line(*core);
    deadline_ = now + core->options().command_timeout;
    return core->own_of(what_.topic) != nullptr ? ask_newest(*core) : ask();
  }
  if (now >= deadline_) return give_up("there is no connection");
  auto timer = std::make_shared<boost::asio::steady_timer>(core->loop().context(), look_every);
  timer->async_wait([timer, self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->prepare();
  });
}

void stream_history::draw_line(bridge_core& core) {
  key_ = as_.stream_key(core.options().prefix, what_.topic);
  line_.self = core.origin();
  line_.until = what_.until;
  line_.topic = what_.topic;
  // First what is on its way to the log, then the log: what leaves the one between the two looks is in the other.
  const auto next = core.next_of(what_.topic);
  hears_others_ = next.has_value();
  if (!next) return;
  line_.next = *next;
  what_.look([&](const metadata& each) {
    if (each.origin == 0 || each.origin == line_.self) return true;
    const std::string* known = each.headers.find(id_header);
    const auto at = known != nullptr ? stream_offset::parse(*known) : std::nullopt;
    if (!at || line_.next < *at) return true;  // of another bridge
    line_.next = *at;
    return false;
  });
}

void stream_history::ask_newest(bridge_core& core) {
  append_command(core.commands().out(), {"XREVRANGE", key_, "+", "-", "COUNT", "1"});
  expect_once(core.commands(), [self = shared_from_this()](const reply* what) { self->take_newest(what); });
}

void stream_history::take_newest(const reply* what) {
  const auto core = core_.lock();
  if (!core || core->is_closed()) return finish();
  if (what != nullptr && what->is_array()) {
    const auto id = what->elements.empty() ? std::nullopt : id_of(what->elements[0]);
    if (!id) return finish();
    newest_ = *id;
  }
  const own_entries* const ours = core->own_of(what_.topic);
  if (!hears_others_ && ours != nullptr) {
    // As where entries tell: others' are history where they lie before the first of ours that the log has.
    for (const auto& [last, sequences] : ours->all()) {
      if (sequences.back() < what_.until) continue;
      line_.next = {last, 0};
      break;
    }
  }
  ask();
}

void stream_history::ask() {
  const auto core = core_.lock();
  if (!core || core->is_closed()) return finish();
  if (by_ && by_->is_ready()) return ask(*by_);
  core->pool().borrow(deadline_, [self = shared_from_this()](const connection_pool::loan& by) {
    self->by_ = by;
    if (!by) return self->give_up("no connection was free to read it");
    self->ask(*by);
  });
}

void stream_history::ask(connection& by) {
  const std::string newest = (oldest_ == stream_id::max() ? newest_ : oldest_.previous()).to_string();
  const std::size_t count = std::clamp(wanted_ - std::min(wanted_, events_), smallest_page, page);
  append_command(by.out(), {"XREVRANGE", key_, newest, since_.to_string(), "COUNT", std::to_string(count)});
  expect_once(by, [self = shared_from_this()](const reply* what) { self->take(what); });
}

void stream_history::take(const reply* what) {
  if (what == nullptr) return ask_again();
  if (what->is_error()) return give_up(std::string(what->text));
  if (!what->is_array() || what->elements.empty()) return finish();
  for (const reply& each : what->elements) {
    if (!consider(each)) return finish();
  }
  if (oldest_ == stream_id::min() || events_ >= wanted_) return finish();
  ask();
}

/// The connection was lost: on another one, if there is one soon.
void stream_history::ask_again() {
  const auto core = core_.lock();
  if (!core || core->is_closed()) return finish();
  deadline_ = std::chrono::steady_clock::now() + core->options().command_timeout;
  if (++lost_ > most_lost) return give_up("connections are lost again and again");
  by_.reset();
  ask();
}

void stream_history::give_up(const std::string& why) {
  if (const auto core = core_.lock(); core && !core->is_closed()) {
    core->warn("no history", "a subscription to '" + what_.topic + "' begins without all of its history: " + why);
  }
  finish();
}

void stream_history::recognize(const stream_id& id) {
  const auto core = core_.lock();
  const own_entries* const ours = core ? core->own_of(what_.topic) : nullptr;
  if (ours == nullptr) return;
  const auto found = ours->all().find(id);
  if (found != ours->all().end()) ours_next_ = found->second;
  if (ours_next_.empty()) return;
  line_.own.emplace(id, ours_next_.back());
  ours_next_.pop_back();
}

bool stream_history::consider(const reply& entry) {
  const auto id = id_of(entry);
  if (!id) return false;
  oldest_ = *id;
  recognize(*id);
  std::vector<field_view> fields;
  const auto& words = entry.elements[1].elements;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields.push_back({words[i].text, words[i + 1].text});
  std::vector<incoming> events;
  if (read_entry_or_letter(as_, fields, events) != nullptr) return true;
  const auto older = static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](const auto& each) { return line_.is_before(*id, each); }));
  const bool is_ours = !events.empty() && line_.is_of_topic(events.back()) && events.back().origin == line_.self;
  if (!hears_others_ && is_ours && events.back().origin_sequence >= line_.until) {
    // Others' events never come into the log: they are history where they lie before the first one that the log has.
    entries_.clear();
    events_ = 0;
  }
  if (older == 0) return true;
  past_entry one{*id, {}};
  for (const auto& each : fields) one.fields.emplace_back(each.name, each.value);
  entries_.push_back(std::move(one));
  events_ += older;
  return events_ < wanted_;
}

}  // namespace actorbus::redis
