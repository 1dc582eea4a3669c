#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/stream_in.hpp>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/stream_reader.hpp>
#include <bus/errors.hpp>

namespace actorbus::redis {

namespace {

/// How often streams that a pattern covers are looked for.
constexpr std::chrono::milliseconds look_every{500};

}  // namespace

stream_in::stream_in(bridge_core& of, std::string_view pattern, const wire_format& as, const route_type& type,
                     const stream_options& with)
    : inbound_route(of, pattern, as, type, with.max_topics), with_(with), later_(of.loop().context()) {}

void stream_in::start() {
  if (is_literal_) {
    add(as_.stream_key(core_.options().prefix, pattern_), pattern_, stream_feed::age::from_the_start);
    core_.states().asked(supervisor::role::reading);
    return;
  }
  core_.reader().pump();
  if (core_.commands().is_ready()) return on_commands();
  core_.commands().want();  // it may rest
}

void stream_in::finish() {
  for (const auto& [key, each] : feeds_) each->save_last();
}

void stream_in::on_commands() {
  if (stopped_) return;
  for (const auto& [key, each] : feeds_) each->save();
  if (!is_literal_ && !std::exchange(discovering_, true)) discover("0");
}

void stream_in::add(std::string key, std::string topic, stream_feed::age how_old) {
  auto fresh = std::make_shared<stream_feed>(core_, core_.reader(), key, std::move(topic), as_, type_, with_, how_old);
  try {
    fresh->open();
  } catch (const bus_error& error) {
    ++core_.counts.topics_refused;
    core_.warn("no such topic", error.what());
    return;
  }
  feeds_.emplace(std::move(key), fresh);
  if (how_old == stream_feed::age::from_the_start) core_.states().waits(supervisor::role::reading);
  core_.reader().add(fresh);
}

void stream_in::discover(std::string_view cursor) {
  append_command(core_.commands().out(), {"SCAN", cursor, "MATCH", as_.key_glob(core_.options().prefix, pattern_),
                                          "COUNT", "1000", "TYPE", "stream"});
  expect_once(core_.commands(), [weak = weak_from_this()](const reply* what) {
    const auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (what == nullptr) {
      self->discovering_ = false;  // the next connection begins anew
      return;
    }
    self->discovered(*what);
  });
}

void stream_in::discovered(const reply& what) {
  if (!what.is_array() || what.elements.size() != 2) {
    core_.warn("SCAN refused", "cannot look for streams of '" + pattern_ + "': " + std::string(what.text));
    return discover_later();
  }
  for (const auto& each : what.elements[1].elements) consider(each.text);
  const std::string next(what.elements[0].text);
  if (next != "0") return discover(next);
  if (std::exchange(first_round_, false)) core_.states().asked(supervisor::role::reading);
  core_.reader().pump();
  discover_later();
}

void stream_in::consider(std::string_view key) {
  std::string name(key);
  if (feeds_.count(name) != 0) return;
  const auto topic = as_.topic_of_key(core_.options().prefix, key);
  if (!topic || !covers(*topic)) return;
  if (!admits(*topic, feeds_.size())) return void(++core_.counts.topics_refused);
  using age = stream_feed::age;
  add(std::move(name), std::string(*topic), first_round_ ? age::from_the_start : age::made_since);
}

void stream_in::discover_later() {
  later_.expires_after(look_every);
  later_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->stopped_) return;
    self->discovering_ = self->core_.commands().is_ready();
    if (!self->discovering_) return self->core_.commands().want();
    self->discover("0");
  });
}

void stream_in::stop() {
  stopped_ = true;
  if (!is_literal_ && std::exchange(first_round_, false)) core_.states().asked(supervisor::role::reading);
  later_.cancel();
  for (const auto& [key, each] : feeds_) {
    each->stop();
    core_.reader().remove(each);
  }
  feeds_.clear();
}

stream_feed* stream_in::feed_of(std::string_view topic) const {
  const auto found = feeds_.find(as_.stream_key(core_.options().prefix, topic));
  return found == feeds_.end() ? nullptr : found->second.get();
}

bool stream_in::is_settled(std::string_view topic, std::uint64_t) {
  if (stopped_ || !covers(topic)) return true;
  const stream_feed* const feed = feed_of(topic);
  return feed != nullptr ? feed->is_begun_or_broken() : is_literal_ || !first_round_;
}

std::optional<stream_offset> stream_in::next_of(std::string_view topic) {
  if (stopped_ || !covers(topic)) return std::nullopt;
  if (stream_feed* const feed = feed_of(topic)) return feed->next();
  // A stream that is found later is read from its beginning.
  if (is_literal_ || feeds_.size() >= with_.max_topics) return std::nullopt;
  return stream_offset{};
}

void stream_in::add_to(stats& sum) const {
  for (const auto& [key, each] : feeds_) {
    sum.lag += each->lag();
    sum.waiting += each->waiting();
  }
}

}  // namespace actorbus::redis
