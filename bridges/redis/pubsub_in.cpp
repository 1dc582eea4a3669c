#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/pubsub_in.hpp>

#include <algorithm>

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
      by_(subscription_of(as, of.options().prefix, pattern)),
      later_(
          of.loop(), [this] { go_on(); }, pause) {}

void pubsub_in::start() {
  core_.messages().subscribe(by_.first, by_.second, *this);
  core_.states().asked(supervisor::role::messages);
}

void pubsub_in::stop() {
  later_.cancel();
  core_.messages().unsubscribe(by_.first, by_.second);
  core_.messages().echoes.forget_if([this](const std::string& channel) {
    if (is_literal_) return channel == by_.second;
    const auto topic = as_.topic_of_channel(core_.options().prefix, channel);
    return topic && covers(*topic);
  });
}

std::unique_ptr<inbound_topic> pubsub_in::open(std::string_view channel) {
  std::string topic = pattern_;
  if (!is_literal_) {
    const auto told = as_.topic_of_channel(core_.options().prefix, channel);
    if (!told || !covers(*told) || !admits(*told, open_topics_)) return nullptr;
    topic = *told;
  }
  if (core_.is_streamed(topic, direction::in)) return nullptr;
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

pubsub_in::arrivals& pubsub_in::arrivals_of(const std::string& channel) {
  const auto found = topics_.find(channel);
  if (found != topics_.end()) return found->second;
  auto topic = open(channel);
  static arrivals nobody;  // not remembered: remote names must not fill the memory
  if (!topic) return nobody;
  return topics_.emplace(channel, arrivals{std::move(topic)}).first->second;
}

bool pubsub_in::is_shadowed(arrivals& which) {
  if (const auto now = core_.routing_now(); which.as_of != now) {
    which.as_of = now;
    which.is_shadowed = core_.is_streamed(which.topic->name(), direction::in);
  }
  return which.is_shadowed;
}

std::uint64_t pubsub_in::brought_in(const std::string& channel) const {
  const auto found = topics_.find(channel);
  return told_silent_ + (found == topics_.end() ? 0 : found->second.brought);
}

void pubsub_in::message(std::string_view channel, std::string_view payload) {
  const std::string name(channel);
  if (!as_.messages_carry_origin() && core_.messages().echoes.is_echo(name, payload)) {
    ++core_.counts.echoes;
    return;
  }
  arrivals& to = arrivals_of(name);
  if (!to.topic || is_shadowed(to)) {
    ++core_.counts.topics_refused;
    return;
  }
  const auto before = handed_on();
  if (!to.waiting.empty() || !publish(to, name, payload)) keep(to, name, payload);
  to.brought += handed_on() - before;
  if (to.topic->is_full()) come_back();  // the event is held
}

bool pubsub_in::publish(arrivals& to, const std::string& channel, std::string_view message) {
  if (!tell_gap(to)) return false;
  if (to.topic->is_full() && to.topic->retry() == inbound_topic::outcome::full) return false;
  events_.clear();
  if (const fault wrong = as_.read_message(message, events_)) {
    set_aside(channel, wrong);
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

void pubsub_in::set_aside(const std::string& channel, const char* why) {
  ++core_.counts.decode_failures;
  core_.warn("not decodable", "a message on '" + channel + "' was set aside: " + why);
}

bool pubsub_in::tell_gap(arrivals& to) {
  if (to.gap.empty()) return true;
  if (to.topic->tell(gap{.topic = {}, .reason = to.gap}) == inbound_topic::outcome::full) return false;
  to.gap.clear();
  to.dropped = 0;
  to.senders.forget();
  return true;
}

void pubsub_in::keep(arrivals& to, const std::string& channel, std::string_view message) {
  events_.clear();
  if (const fault wrong = as_.read_message(message, events_)) return set_aside(channel, wrong);
  const auto ours = [this](const incoming& each) { return each.origin == core_.origin(); };
  if (std::all_of(events_.begin(), events_.end(), ours)) {  // so that they do not take others' place
    core_.counts.echoes += static_cast<std::size_t>(std::count_if(
        events_.begin(), events_.end(), [](const auto& each) { return each.content_type != gap_content_type; }));
    return;
  }
  to.waiting.push_back({std::string(message), events_.size()});
  to.events += events_.size();
  const std::size_t capacity = with_.overflow == overflow::latest ? 1
                               : with_.capacity == 0              ? default_capacity
                                                                  : with_.capacity;
  if (to.events - to.place > capacity) make_room(to, to.events - to.place - capacity);
  come_back();
}

/// Drops the oldest.
void pubsub_in::make_room(arrivals& to, std::size_t events) {
  while (events != 0) {
    const arrival& oldest = to.waiting.front();
    if (oldest.is_gap()) {
      to.gap = oldest.text;
    } else {
      const std::size_t end = std::min(oldest.events, to.place + events);
      events -= end - to.place;
      pass_over(to, oldest, end);
      if (end != oldest.events) break;
      to.place = 0;
      to.events -= end;
    }
    to.waiting.pop_front();
  }
  if (to.dropped != 0 && with_.overflow != overflow::latest) {
    to.gap = std::to_string(to.dropped) + " events dropped: the topic was full";
  }
}

/// Events of a message that are dropped: to those who want the latest alone nothing is missing, but what was before
/// them.
void pubsub_in::pass_over(arrivals& to, const arrival& message, std::size_t end) {
  events_.clear();
  if (as_.read_message(message.text, events_) != nullptr) events_.clear();  // it was readable when it was kept
  for (; to.place < end; ++to.place) {
    if (to.place >= events_.size()) continue;
    const incoming& one = events_[to.place];
    if (one.origin == core_.origin()) {
      ++core_.counts.echoes;
    } else if (one.content_type == gap_content_type) {
      to.gap = told_gap(one);
    } else {
      follows(to, one);
      ++to.dropped;
      ++core_.counts.dropped_in;
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
  for (auto& [channel, each] : topics_) {
    const auto before = handed_on();
    all = go_on(each, channel) && all;
    each.brought += handed_on() - before;
  }
  if (!all) come_back();
}

bool pubsub_in::go_on(arrivals& to, const std::string& channel) {
  if (to.topic->is_full() && to.topic->retry() == inbound_topic::outcome::full) return false;
  while (!to.waiting.empty()) {
    arrival& next = to.waiting.front();
    if (next.is_gap()) {
      if (!tell_gap(to)) return false;
      to.gap = std::move(next.text);
    } else if (!publish(to, channel, next.text)) {
      return false;
    }
    to.events -= next.events;
    to.waiting.pop_front();
  }
  return !to.topic->is_full() && tell_gap(to);
}

void pubsub_in::after_gap(const std::string& reason) {
  const std::string text = "reconnected: " + reason;
  for (auto& [channel, each] : topics_) {
    if (!is_shadowed(each)) tell_behind(each, channel, text);
  }
  tell_silent(text);
}

void pubsub_in::after_gap_on(const std::string& channel, const std::string& reason) {
  arrivals& to = arrivals_of(channel);
  if (to.topic && !is_shadowed(to)) tell_behind(to, channel, reason);
}

/// Behind what came before the loss and still waits.
void pubsub_in::tell_behind(arrivals& to, const std::string& channel, const std::string& text) {
  if (to.waiting.empty() || !to.waiting.back().is_gap()) to.waiting.push_back({{}, 0});
  to.waiting.back().text = text;
  const auto before = handed_on();
  if (!go_on(to, channel)) come_back();
  to.brought += handed_on() - before;
}

/// Topics that nothing came for yet: what would have may be missing. They do not count as made for remote names.
void pubsub_in::tell_silent(const std::string& text) {
  for (const auto& each : core_.bus()->topics().all()) {
    if (each->type() != type_.payload || !covers(each->name()) || core_.is_streamed(each->name(), direction::in))
      continue;
    const std::string channel = as_.channel(core_.options().prefix, each->name());
    if (topics_.count(channel) != 0) continue;
    arrivals to{std::make_unique<inbound_topic>(core_, each->name(), type_)};
    try {
      to.topic->open();
    } catch (const bus_error&) {
      continue;  // gone meanwhile
    }
    const bool is_full = to.topic->tell(gap{.topic = {}, .reason = text}) == inbound_topic::outcome::full;
    ++told_silent_;
    // What comes next must not overtake it.
    if (!is_full && to.topic->has_all_appended()) continue;
    auto& kept = topics_.emplace(channel, std::move(to)).first->second;
    if (is_full) tell_behind(kept, channel, text);
  }
}

void pubsub_in::add_to(stats& sum) const {
  for (const auto& [channel, each] : topics_) sum.waiting += each.events - each.place;
}

}  // namespace actorbus::redis
