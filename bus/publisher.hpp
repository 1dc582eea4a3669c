// The fast way into a topic: a lane of its own.
//
// Threads: one at a time; hand it over with the usual care. Create and destroy it at any time: what it published is
// delivered. Order: its events keep their order. A publisher and `topic.publish` on one thread are two publishers. When
// full: see each call. When closed: errc::closed, after finish errc::finished. A call may destroy earlier events that
// everybody has passed, payloads included: hold no lock that a payload's destructor takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <bus/notices.hpp>
#include <bus/options.hpp>
#include <bus/topic_of.hpp>

namespace actorbus {

namespace core {

/// The publish calls, for whatever keeps lanes: a publisher its one, a topic handle those of the calling thread or
/// handler.
template <class T>
class publishing {
 public:
  /// What is refused has not been moved from, its headers neither.
  template <class Slot, class Value>
  static std::error_code publish(topic_of<T>& to, Slot&& slot, Value&& value, headers&& with, std::uint64_t origin,
                                 std::uint64_t origin_sequence, engine::time_point deadline) {
    if (to.options().intercept) [[unlikely]] {
      if (const auto why = to.intercept(with, origin)) return to.refuse(why);
    }
    annotation_ptr note = annotate(std::move(with), origin, origin_sequence);
    const auto why = to.accept(slot, arriving(std::forward<Value>(value), note.get()), deadline);
    if (!why) {
      note.leave();
    } else if (note) {
      with = note.take_headers();
    }
    return why;
  }

  template <class Slot>
  static std::size_t publish_all(topic_of<T>& to, Slot&& slot, std::span<const T> values, headers with,
                                 std::uint64_t origin) {
    if (to.options().intercept) return publish_each(to, slot, values, with, origin);
    const annotation_ptr note = annotate(std::move(with), origin);
    std::size_t done = 0;
    while (done < values.size()) {
      if (const auto why = to.refusal(in_handler())) throw_refused(to, to.refuse(why), done, values.size());
      const batch_arrival<T> batch{values.data() + done, note.get()};
      const std::size_t accepted = to.accept_some(slot, batch, values.size() - done);
      done += accepted;
      if (accepted != 0) continue;
      annotation_ptr mine = note;  // full: the next one waits or spills
      const auto why = to.accept(slot, arrival<const T>{&values[done], mine.get()}, topic_of<T>::forever);
      if (why) throw_refused(to, why, done, values.size());
      mine.leave();
      ++done;
    }
    return done;
  }

  template <class Slot, class Value>
  static std::future<void> publish_async(topic_of<T>& to, Slot&& slot, Value&& value, headers with,
                                         std::uint64_t origin) {
    std::promise<void> accepted;
    auto result = accepted.get_future();
    std::error_code why = to.intercept(with, origin);
    if (why) {
      to.refuse(why);
    } else {
      annotation_ptr note = annotate(std::move(with), origin);
      why = to.accept_async(slot, arriving(std::forward<Value>(value), note.get()), accepted);
      if (!why) note.leave();
    }
    if (why) accepted.set_exception(std::make_exception_ptr(refused(to, why)));
    return result;
  }

  /// A batch past an interceptor, which sees each event by itself.
  template <class Slot>
  static std::size_t publish_each(topic_of<T>& to, Slot& slot, std::span<const T> values, const headers& with,
                                  std::uint64_t origin) {
    for (std::size_t done = 0; done < values.size(); ++done) {
      const auto why = publish(to, slot, values[done], headers(with), origin, 0, topic_of<T>::forever);
      if (why) throw_refused(to, why, done, values.size());
    }
    return values.size();
  }

  static bus_error refused(const topic_of<T>& to, std::error_code why) {
    return bus_error(why, "publish on '" + to.name() + "'");
  }
  static void throw_refused(const topic_of<T>& to, std::error_code why) { throw refused(to, why); }
  static void throw_refused(const topic_of<T>& to, std::error_code why, std::size_t done, std::size_t of) {
    throw bus_error(
        why, "publish_all on '" + to.name() + "', " + std::to_string(done) + " of " + std::to_string(of) + " accepted");
  }

  static engine::time_point deadline_after(const topic_of<T>& to, std::chrono::nanoseconds within) {
    const auto now = to.bus().engine().now();
    return within > topic_of<T>::forever - now ? topic_of<T>::forever : now + within;
  }
};

}  // namespace core

/// Where an event comes from, and the sequence it had there.
struct event_origin {
  std::uint64_t origin = 0;
  std::uint64_t sequence = 0;
};

template <class T>
class publisher {
 public:
  publisher() = default;
  /// By topic<T>::publisher. Takes over a handle on the topic.
  publisher(std::shared_ptr<core::topic_of<T>> to, publisher_options options)
      : to_(std::move(to)), origin_(options.origin) {
    to_->add_publisher(1);
  }
  publisher(publisher&& other) noexcept
      : to_(std::move(other.to_)), lane_(std::move(other.lane_)), origin_(other.origin_) {}
  publisher& operator=(publisher&& other) noexcept {
    std::swap(to_, other.to_);
    std::swap(lane_, other.lane_);
    std::swap(origin_, other.origin_);
    return *this;
  }
  ~publisher() {
    if (lane_) lane_->leave();
    if (!to_) return;
    to_->add_publisher(-1);
    to_->drop_handle();
  }

  /// Waits while the lane is full. In a handler it never waits: what the lane cannot hold spills, and when the spill is
  /// full too it throws errc::would_block. Throws what the interceptor returned, errc::closed, errc::finished.
  void publish(T&& value, headers with = {}) { require(publish_until(std::move(value), std::move(with), forever)); }
  void publish(const T& value, headers with = {}) { require(publish_until(value, std::move(with), forever)); }

  /// Never waits and does not throw: errc::would_block when full. A refused value has not been moved from.
  std::error_code try_publish(T&& value, headers with = {}) {
    return publish_until(std::move(value), std::move(with), at_once);
  }
  std::error_code try_publish(const T& value, headers with = {}) {
    return publish_until(value, std::move(with), at_once);
  }

  /// Waits so long at most: errc::timeout.
  std::error_code publish_for(T&& value, std::chrono::nanoseconds within, headers with = {}) {
    return publish_until(std::move(value), std::move(with), calls::deadline_after(*to_, within));
  }
  std::error_code publish_for(const T& value, std::chrono::nanoseconds within, headers with = {}) {
    return publish_until(value, std::move(with), calls::deadline_after(*to_, within));
  }

  /// A batch in one step, each event with the same headers. Waits like publish. Throws like publish; the error says how
  /// many were accepted before.
  void publish_all(std::span<const T> values, headers with = {}) {
    calls::publish_all(*to_, slot(), values, std::move(with), origin_);
  }

  /// Never waits: the future completes once the event is accepted, or with the error. Waiting events are bounded by the
  /// spill.
  std::future<void> publish_async(T&& value, headers with = {}) {
    return calls::publish_async(*to_, slot(), std::move(value), std::move(with), origin_);
  }
  std::future<void> publish_async(const T& value, headers with = {}) {
    return calls::publish_async(*to_, slot(), value, std::move(with), origin_);
  }

  /// For bridges: an event with the sequence it had where it comes from. Waits like publish.
  void publish_from(T value, std::uint64_t origin_sequence, headers with = {}) {
    require(calls::publish(*to_, slot(), std::move(value), std::move(with), origin_, origin_sequence, forever));
  }
  /// The same without waiting.
  std::error_code try_publish_from(T&& value, std::uint64_t origin_sequence, headers with = {}) {
    return calls::publish(*to_, slot(), std::move(value), std::move(with), origin_, origin_sequence, at_once);
  }

  /// The same for a bridge that carries events of many origins. A refused event's headers have not been moved from.
  std::error_code try_publish_from(T&& value, event_origin from, headers&& with = {}) {
    return calls::publish(*to_, slot(), std::move(value), std::move(with), from.origin, from.sequence, at_once);
  }
  /// The same, waiting so long at most: errc::timeout.
  std::error_code publish_from_for(T&& value, event_origin from, std::chrono::nanoseconds within, headers&& with = {}) {
    return calls::publish(*to_, slot(), std::move(value), std::move(with), from.origin, from.sequence,
                          calls::deadline_after(*to_, within));
  }

  /// For bridges: a notice as an entry of the log, in order with the events. It takes a sequence number. Waits like
  /// publish.
  void publish_notice(log_notice what) { require(publish_notice_until(std::move(what), forever)); }
  /// The same without waiting.
  std::error_code try_publish_notice(log_notice what) { return publish_notice_until(std::move(what), at_once); }

  /// For bridges: of what was accepted, how much is not in the log yet; the newest. All else is, or was.
  std::size_t unappended() const { return lane_ ? static_cast<std::size_t>(lane_->pushed() - lane_->drained()) : 0; }

  /// For bridges: asks whether all that the topic had accepted by now was handled by every subscription, and read from
  /// every inbox, that it has when asked, or dropped there. A bus that closes lets its handlers finish, then calls
  /// on_closing; once it ends its readers the answer is no. Any thread, one at a time; the topic stays as long.
  std::function<bool()> asks_whether_handled() const {
    return [to = to_, upto = to_->mark_now(), appended = false]() mutable {
      appended = appended || to->has_appended(upto);
      return appended && to->has_been_handled(upto.sequence);
    };
  }

  const std::string& topic() const { return to_->name(); }
  std::uint64_t origin() const { return origin_; }

 private:
  using calls = core::publishing<T>;
  static constexpr auto at_once = core::topic_of<T>::at_once;
  static constexpr auto forever = core::topic_of<T>::forever;

  auto slot() {
    return [this]() -> std::shared_ptr<core::lane>& { return lane_; };
  }
  template <class Value>
  std::error_code publish_until(Value&& value, headers with, engine::time_point deadline) {
    return calls::publish(*to_, slot(), std::forward<Value>(value), std::move(with), origin_, 0, deadline);
  }
  std::error_code publish_notice_until(log_notice what, engine::time_point deadline) {
    auto* note = new core::annotation;
    core::annotation_ptr owned(note);
    note->notice = std::make_unique<const log_notice>(std::move(what));
    note->origin = origin_;
    const auto why = to_->accept(slot(), core::bare_arrival{note}, deadline);
    if (!why) owned.leave();
    return why;
  }
  void require(std::error_code why) const {
    if (why) throw calls::refused(*to_, why);
  }

  std::shared_ptr<core::topic_of<T>> to_;
  std::shared_ptr<core::lane> lane_;
  std::uint64_t origin_ = 0;
};

}  // namespace actorbus
