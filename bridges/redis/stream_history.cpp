#include <bridges/redis/stream_history.hpp>

#include <algorithm>
#include <limits>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/inbound_topic.hpp>

namespace actorbus::redis {

namespace {

constexpr std::size_t page = 512;

std::size_t wanted_of(const history_request& what) {
  if (what.from.kind() != replay_kind::last) return std::numeric_limits<std::size_t>::max();
  return what.from.count() - std::min<std::size_t>(what.from.count(), what.have);
}

}  // namespace

void stream_history::fetch(const std::weak_ptr<bridge_core>& of, std::string key, const wire_format& as,
                           const history_request& what, answer then) {
  auto reading = std::make_shared<stream_history>(of, std::move(key), as, what, std::move(then));
  const auto core = of.lock();
  if (!core || core->is_closed()) return;  // its end answers
  core->loop().post([reading] { reading->ask(); });
}

stream_history::stream_history(const std::weak_ptr<bridge_core>& of, std::string key, const wire_format& as,
                               const history_request& what, answer then)
    : core_(of), key_(std::move(key)), as_(as), what_(what), then_(std::move(then)), wanted_(wanted_of(what)) {
  if (what.from.kind() == replay_kind::since) since_ = stream_id::at(what.from.time());
  passed_ = !what.before;
}

stream_history::~stream_history() { finish(); }

void stream_history::finish() {
  if (!then_) return;
  std::reverse(entries_.begin(), entries_.end());
  std::exchange(then_, nullptr)(std::move(entries_));
}

void stream_history::ask() {
  const auto core = core_.lock();
  if (!core || !core->has_commands()) return finish();
  self_ = core->origin();
  const std::string newest = oldest_ == stream_id::max() ? "+" : oldest_.previous().to_string();
  const std::size_t count = passed_ ? std::min(page, wanted_ - std::min(wanted_, events_)) : page;
  append_command(core->commands().out(), {"XREVRANGE", key_, newest, since_.to_string(), "COUNT",
                                          std::to_string(std::max<std::size_t>(count, 1))});
  expect_once(core->commands(), [self = shared_from_this()](const reply* what) { self->take(what); });
}

void stream_history::take(const reply* what) {
  if (what == nullptr || !what->is_array() || what->elements.empty()) return finish();
  for (const reply& each : what->elements) {
    if (!consider(each)) return finish();
  }
  if (oldest_ == stream_id::min() || events_ >= wanted_) return finish();
  ask();
}

bool stream_history::consider(const reply& entry) {
  const auto id = entry.elements.size() < 2 ? std::nullopt : stream_id::parse(entry.elements[0].text);
  if (!id) return false;
  oldest_ = *id;
  past_entry one{*id, {}};
  std::vector<field_view> fields;
  const auto& words = entry.elements[1].elements;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    one.fields.emplace_back(words[i].text, words[i + 1].text);
    fields.push_back({words[i].text, words[i + 1].text});
  }
  std::vector<incoming> events;
  if (read_entry_or_letter(as_, fields, events) != nullptr || events.empty()) return true;
  if (what_.before) {
    const auto& before = *what_.before;
    const incoming& last = events.back();
    const bool is_ours = last.origin == self_;
    const std::string* known = before.headers.find(id_header);
    if (known != nullptr) {
      // The oldest in the log came from the stream: older entries are, and ours that were published before it.
      const auto boundary = stream_id::parse(*known);
      if (is_ours ? last.origin_sequence >= before.sequence : !boundary || !(*id < *boundary)) return true;
    } else {
      // It was published here: its entry, or one of ours that is older, is where the log begins in the stream.
      if (is_ours && last.origin_sequence <= before.sequence) passed_ = true;
      if (!passed_ || (is_ours && last.origin_sequence >= before.sequence)) return true;
    }
  }
  events_ += events.size();
  entries_.push_back(std::move(one));
  return events_ < wanted_;
}

}  // namespace actorbus::redis
