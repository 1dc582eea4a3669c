#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/pubsub_in.hpp>

#include <bus/errors.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::redis {

namespace {

constexpr std::size_t default_capacity = 8192;

/// How long a full topic is left alone. Nothing tells a publisher that must not wait of room in its lane.
constexpr std::chrono::microseconds pause{500};

/// What a message that tells of a gap says; a gap without a reason would be none.
std::string told_gap(const incoming& message) {
  return message.payload.empty() ? "its publisher does not say why" : std::string(message.payload);
}

}  // namespace

pubsub_in::pubsub_in(bridge_core& of, std::string_view pattern, const wire_format& as, const route_type& type,
                     const pubsub_options& with)
    : inbound_route(of, pattern, as, type, with.max_topics),
      with_(with),
      name_(is_literal_ ? as.channel(of.options().prefix, pattern) : as.channel_glob(of.options().prefix, pattern)),
      later_(
          of.loop(), [this] { go_on(); }, pause) {}

void pubsub_in::start() {
  core_.messages().subscribe(is_literal_ ? subscription_set::kind::channel : subscription_set::kind::pattern, name_,
                             *this);
  core_.states().asked(supervisor::role::messages);
}

void pubsub_in::stop() {
  later_.cancel();
  core_.messages().unsubscribe(is_literal_ ? subscription_set::kind::channel : subscription_set::kind::pattern, name_);
}

std::unique_ptr<inbound_topic> pubsub_in::open(std::string_view channel) {
  std::string topic = pattern_;
  if (!is_literal_) {
    const auto told = as_.topic_of_channel(core_.options().prefix, channel);
    if (!told || !covers(*told) || !admits(*told, open_topics_)) return nullptr;
    topic = *told;
  }
  if (core_.is_streamed(topic)) return nullptr;
  auto fresh = std::make_unique<inbound_topic>(core_, std::move(topic), type_);
  try {
    fresh->open();
  } catch (const bus_error& error) {
    core_.warn("no such topic", error.what());
    return nullptr;
  }
  ++open_topics_;
  return fresh;
}

pubsub_in::arrivals& pubsub_in::arrivals_of(std::string_view channel) {
  std::string name(channel);
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second;
  auto topic = open(channel);
  static arrivals nobody;  // not remembered: remote names must not fill the memory
  if (!topic) return nobody;
  return topics_.emplace(std::move(name), arrivals{std::move(topic)}).first->second;
}

void pubsub_in::message(std::string_view channel, std::string_view payload) {
  arrivals& to = arrivals_of(channel);
  if (!to.topic) {
    ++core_.counts.topics_refused;
    return;
  }
  const std::string name(channel);
  if (!as_.messages_carry_origin() && core_.echoes.is_echo(name, payload)) {
    ++core_.counts.echoes;
    return;
  }
  if (!to.waiting.empty() || !publish(to, name, payload)) keep(to, payload);
  if (to.topic->is_full()) come_back();  // the event is held
}

bool pubsub_in::publish(arrivals& to, const std::string& channel, std::string_view message) {
  if (!tell_gap(to)) return false;
  if (to.topic->is_full() && to.topic->retry() == inbound_topic::outcome::full) return false;
  events_.clear();
  if (const fault wrong = as_.read_message(message, events_)) {
    ++core_.counts.decode_failures;
    core_.warn("not decodable", "a message on '" + channel + "' was set aside: " + wrong);
    return true;
  }
  for (; to.place < events_.size(); ++to.place) {
    if (to.topic->is_full()) return false;
    incoming& one = events_[to.place];
    const bool is_ours = one.origin == core_.origin();  // what we sent, our own subscribers have
    if (one.content_type != gap_content_type) {
      if (!is_ours && !follows(to, one)) {
        if (!tell_gap(to)) return false;
        follows(to, one);  // as its sender's first
      }
      to.topic->offer(one, payload_shape::bytes);
    } else if (!is_ours) {
      to.gap = told_gap(one);
      ++to.place;
      if (!tell_gap(to)) return false;
      --to.place;
    }
  }
  to.place = 0;
  return true;
}

bool pubsub_in::tell_gap(arrivals& to) {
  if (to.gap.empty()) return true;
  if (to.topic->tell(gap{.topic = {}, .reason = to.gap}) == inbound_topic::outcome::full) return false;
  to.gap.clear();
  to.dropped = 0;
  to.senders.forget();
  return true;
}

void pubsub_in::keep(arrivals& to, std::string_view message) {
  const std::size_t capacity = with_.overflow == overflow::latest ? 1
                               : with_.capacity == 0              ? default_capacity
                                                                  : with_.capacity;
  while (to.waiting.size() >= capacity) {
    const arrival oldest = std::move(to.waiting.front());
    to.waiting.pop_front();
    if (oldest.is_gap) {
      to.gap = oldest.text;
    } else {
      pass_over(to, oldest.text);
      ++to.dropped;
      ++core_.counts.dropped_in;
    }
    to.place = 0;
  }
  if (to.dropped != 0 && with_.overflow != overflow::latest) {
    to.gap = std::to_string(to.dropped) + " messages dropped: the topic was full";
  }
  to.waiting.push_back({std::string(message), false});
  come_back();
}

/// A message that is dropped: to those who want the latest alone nothing is missing, but what was before it.
void pubsub_in::pass_over(arrivals& to, std::string_view message) {
  events_.clear();
  if (as_.read_message(message, events_) != nullptr) return;
  for (; to.place < events_.size(); ++to.place) {
    const incoming& one = events_[to.place];
    if (one.origin == core_.origin()) continue;
    if (one.content_type == gap_content_type) {
      to.gap = told_gap(one);
    } else {
      follows(to, one);
    }
  }
}

/// False: `gap` says what is missing in front of it.
bool pubsub_in::follows(arrivals& to, const incoming& one) {
  const bool result = to.senders.follows(one.origin, one.origin_sequence, one.step);
  if (!result) to.gap = "messages of its publisher are missing";
  return result;
}

void pubsub_in::go_on() {
  bool all = true;
  for (auto& [channel, each] : topics_) all = go_on(each, channel) && all;
  if (!all) come_back();
}

bool pubsub_in::go_on(arrivals& to, const std::string& channel) {
  if (to.topic->is_full() && to.topic->retry() == inbound_topic::outcome::full) return false;
  while (!to.waiting.empty()) {
    arrival& next = to.waiting.front();
    if (next.is_gap) {
      if (!tell_gap(to)) return false;
      to.gap = std::move(next.text);
    } else if (!publish(to, channel, next.text)) {
      return false;
    }
    to.waiting.pop_front();
  }
  return !to.topic->is_full() && tell_gap(to);
}

void pubsub_in::after_gap(const std::string& reason) {
  const std::string text = "reconnected: " + reason;
  for (auto& [channel, each] : topics_) tell_behind(each, channel, text);
  tell_silent(text);
}

/// Behind what came before the loss and still waits.
void pubsub_in::tell_behind(arrivals& to, const std::string& channel, const std::string& text) {
  if (to.waiting.empty() || !to.waiting.back().is_gap) to.waiting.push_back({{}, true});
  to.waiting.back().text = text;
  if (!go_on(to, channel)) come_back();
}

/// Topics that nothing came for yet: what would have may be missing. They do not count as made for remote names.
void pubsub_in::tell_silent(const std::string& text) {
  for (const auto& each : core_.bus()->topics().all()) {
    if (each->type() != type_.payload || !covers(each->name()) || core_.is_streamed(each->name())) continue;
    const std::string channel = as_.channel(core_.options().prefix, each->name());
    if (topics_.count(channel) != 0) continue;
    arrivals to{std::make_unique<inbound_topic>(core_, each->name(), type_)};
    try {
      to.topic->open();
    } catch (const bus_error&) {
      continue;  // gone meanwhile
    }
    const bool is_full = to.topic->tell(gap{.topic = {}, .reason = text}) == inbound_topic::outcome::full;
    // What comes next must not overtake it.
    if (!is_full && to.topic->has_all_appended()) continue;
    auto& kept = topics_.emplace(channel, std::move(to)).first->second;
    if (is_full) tell_behind(kept, channel, text);
  }
}

void pubsub_in::add_to(stats& sum) const {
  for (const auto& [channel, each] : topics_) sum.waiting += each.waiting.size();
}

}  // namespace actorbus::redis
