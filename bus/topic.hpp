// A handle on a topic: publish to it, subscribe to it, look at it.
//
// Threads: every call from any thread. Copies are cheap and name the same topic. A handle may outlive the bus;
// publishing then is errc::closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <bus/handler_sink.hpp>
#include <bus/history_hook.hpp>
#include <bus/inbox.hpp>
#include <bus/names.hpp>
#include <bus/publisher.hpp>
#include <bus/subscribing.hpp>
#include <bus/subscription.hpp>

namespace actorbus {

template <class T>
class topic {
 public:
  using value_type = T;

  /// By bus::topic. Takes over a handle.
  explicit topic(std::shared_ptr<core::topic_of<T>> what) : core_(std::move(what)) {}
  topic(const topic& other) : core_(other.core_) { core_->add_handle(); }
  topic(topic&& other) noexcept = default;
  topic& operator=(topic other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~topic() {
    if (core_) core_->drop_handle();
  }

  const std::string& name() const { return core_->name(); }
  const std::shared_ptr<core::topic_of<T>>& core() const { return core_; }

  // Publishing, as publisher<T> does it, through a lane of the calling thread or, in a handler, of its subscription.
  // The events of one thread keep their order.

  void publish(T&& value, headers with = {}) const {
    require(publish_until(std::move(value), std::move(with), forever));
  }
  void publish(const T& value, headers with = {}) const { require(publish_until(value, std::move(with), forever)); }
  std::error_code try_publish(T&& value, headers with = {}) const {
    return publish_until(std::move(value), std::move(with), at_once);
  }
  std::error_code try_publish(const T& value, headers with = {}) const {
    return publish_until(value, std::move(with), at_once);
  }
  std::error_code publish_for(T&& value, std::chrono::nanoseconds within, headers with = {}) const {
    return publish_until(std::move(value), std::move(with), calls::deadline_after(*core_, within));
  }
  std::error_code publish_for(const T& value, std::chrono::nanoseconds within, headers with = {}) const {
    return publish_until(value, std::move(with), calls::deadline_after(*core_, within));
  }
  void publish_all(std::span<const T> values, headers with = {}) const {
    calls::publish_all(*core_, slot(), values, std::move(with), 0);
  }
  std::future<void> publish_async(T&& value, headers with = {}) const {
    return calls::publish_async(*core_, slot(), std::move(value), std::move(with), 0);
  }
  std::future<void> publish_async(const T& value, headers with = {}) const {
    return calls::publish_async(*core_, slot(), value, std::move(with), 0);
  }

  /// A publisher with a lane of its own: the fast path.
  actorbus::publisher<T> publisher(publisher_options options = {}) const {
    core_->add_handle();
    return actorbus::publisher<T>(core_, options);
  }

  /// End of stream, behind every publish that returned before this call: subscribers are told `finished`, inboxes end,
  /// later publishes are errc::finished.
  void finish() const { core_->finish(); }

  /// Calls `handler` with each event (`const event<T>&`) or its value (`const T&`). Never waits for the topic.
  /// Throws errc::invalid_argument for options that do not fit together, errc::options_mismatch for a group member
  /// whose options differ from its group's, errc::closed.
  template <core::handler_of<T> F>
  [[nodiscard]] subscription subscribe(F handler, subscribe_options options = {}) const {
    return subscription(core::subscribe(core_->bus().shared_from_this(), name(), core::kind_of<T>(), std::move(options),
                                        std::make_unique<core::handler_sink<T, F>>(std::move(handler))));
  }

  /// Events for a thread of your own, which polls or waits.
  [[nodiscard]] actorbus::inbox<T> inbox(inbox_options options = {}) const {
    return actorbus::inbox<T>(
        core::open_inbox(core_->bus().shared_from_this(), name(), core::kind_of<T>(), std::move(options)));
  }

  /// The newest event of those kept for replay: empty without `history`. Includes what the calling thread published
  /// before, unless the topic is full or busy at this moment.
  std::optional<event<T>> latest() const {
    std::uint64_t sequence = 0;
    const core::stretch pinned = core_->newest(sequence);
    if (pinned.holder() == nullptr) return std::nullopt;
    const core::entry* at = pinned.holder()->at(sequence);
    if (at->note != nullptr && at->note->notice) return std::nullopt;
    const event<T> borrowed = core::event_at<T>({pinned.holder(), at, sequence});
    return borrowed;
  }

  /// Calls `callback` when events not yet handled by the slowest subscriber reach `high`, and again when they are back
  /// at `low`: once per crossing, in the topic's actor. Throws errc::invalid_argument unless low < high.
  void on_pressure(std::size_t high, std::size_t low, pressure_callback callback) const {
    core_->on_pressure(high, low, std::move(callback));
  }

  /// For bridges: where events older than the log's come from when a subscriber asks for more than the topic keeps.
  void set_history_source(std::shared_ptr<history_source<T>> source) const;

 private:
  using calls = core::publishing<T>;
  static constexpr auto at_once = core::topic_of<T>::at_once;
  static constexpr auto forever = core::topic_of<T>::forever;

  auto slot() const {
    return [this]() -> std::shared_ptr<core::lane>& { return core::lane_set::current().at(core_->id()); };
  }
  template <class Value>
  std::error_code publish_until(Value&& value, headers with, engine::time_point deadline) const {
    return calls::publish(*core_, slot(), std::forward<Value>(value), std::move(with), 0, 0, deadline);
  }
  void require(std::error_code why) const {
    if (why) throw calls::refused(*core_, why);
  }

  std::shared_ptr<core::topic_of<T>> core_;
};

namespace core {

/// Puts what a typed source fetched into a chunk of its own, for readers.
template <class T>
class history_source_of final : public history_source_base {
 public:
  explicit history_source_of(std::shared_ptr<history_source<T>> source, std::shared_ptr<topic_identity> topic)
      : source_(std::move(source)), topic_(std::move(topic)) {}

  /// Appends them as events of the topic, without a sequence.
  static void events_of(const std::shared_ptr<topic_identity>& topic, std::vector<past_event<T>> past,
                        std::vector<event<T>>& to) {
    if (past.empty()) return;
    const replayed packed = pack(topic, std::move(past));
    for (auto at = packed.first; at != packed.past; ++at) {
      const event<T> borrowed = event_at<T>({packed.pinned.holder(), packed.pinned.holder()->at(at), 0});
      to.push_back(borrowed);
    }
  }

  void fetch(const history_request& request, std::function<void(std::vector<replayed>)> done) override {
    source_->fetch(request, [topic = topic_, done = std::move(done)](std::vector<past_event<T>> events) {
      std::vector<replayed> result;
      if (!events.empty()) result.push_back(pack(topic, std::move(events)));
      done(std::move(result));
    });
  }

 private:
  static replayed pack(const std::shared_ptr<topic_identity>& topic, std::vector<past_event<T>> events) {
    chunk* holder = chunk::make(topic, 1, events.size());
    stretch pinned(holder, 1);  // the chunk's only pin: nothing else links it
    for (auto& each : events) {
      annotation_ptr note = annotate(std::move(each.headers), each.origin, each.origin_sequence);
      auto* at = ::new (static_cast<void*>(holder->free_slot())) entry_of<T>(arrival<T>{&each.value, note.get()});
      note.leave();
      at->time = std::chrono::duration_cast<std::chrono::nanoseconds>(each.time.time_since_epoch()).count();
      holder->add(1);
    }
    return {std::move(pinned), 1, 1 + events.size(), false};
  }

  const std::shared_ptr<history_source<T>> source_;
  const std::shared_ptr<topic_identity> topic_;
};

template <class T>
history_hook add_history_source(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                std::shared_ptr<history_source<T>> source) {
  require_pattern(pattern);
  const auto make = [source = std::move(source)](std::shared_ptr<topic_identity> topic) {
    return std::make_shared<history_source_of<T>>(source, std::move(topic));
  };
  return {bus, bus->add_history_source(std::string(pattern), payload_type_of<T>().type, make)};
}

}  // namespace core

template <class T>
void topic<T>::set_history_source(std::shared_ptr<history_source<T>> source) const {
  core_->set_history_source(
      source == nullptr ? nullptr : std::make_shared<core::history_source_of<T>>(std::move(source), core_->identity()));
}

}  // namespace actorbus
