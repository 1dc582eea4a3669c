// The bus: topics by name, subscriptions on names and patterns, requests, and the way it all ends.
//
// Threads: every call from any thread; creating and destroying is its owner's. Several buses in a process share
// nothing. Ownership: movable. Its destructor closes it (bus_options::close_within) and then waits for handlers still
// running. Handles and events may outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <bus/closing_hook.hpp>
#include <bus/errors.hpp>
#include <bus/event.hpp>
#include <bus/headers.hpp>
#include <bus/history_hook.hpp>
#include <bus/history_source.hpp>
#include <bus/inbox.hpp>
#include <bus/metadata.hpp>
#include <bus/notices.hpp>
#include <bus/options.hpp>
#include <bus/overloaded.hpp>
#include <bus/publisher.hpp>
#include <bus/redrive.hpp>
#include <bus/replay.hpp>
#include <bus/request.hpp>
#include <bus/snapshot.hpp>
#include <bus/subscription.hpp>
#include <bus/topic.hpp>

namespace actorbus {

class bus {
 public:
  /// Runs on an actor system of its own.
  explicit bus(bus_options options = {});
  /// Runs on an engine you made: on your actor system (actors/host.hpp), or by hand (bus/manual_engine.hpp). `workers`,
  /// `idle` and `on_thread_start` are the engine's matter then.
  explicit bus(std::shared_ptr<actorbus::engine> on, bus_options options = {});
  bus(bus&&) noexcept = default;
  bus& operator=(bus&& other) noexcept;
  ~bus();

  const std::string& name() const;

  /// Finds a topic or creates it. Throws invalid_topic, type_mismatch (naming both types), options_mismatch, closed.
  template <class T>
  actorbus::topic<T> topic(std::string_view name) {
    return open<T>(name, nullptr);
  }
  /// The same with explicit options, which configure a topic that was created without.
  template <class T>
  actorbus::topic<T> topic(std::string_view name, const topic_options& options) {
    return open<T>(name, &options);
  }

  /// Subscribes to a topic, or to every topic of T that a pattern covers, present and to come. See topic<T>::subscribe.
  /// Throws invalid_pattern too.
  template <class T, core::handler_of<T> F>
  [[nodiscard]] subscription subscribe(std::string_view pattern, F handler, subscribe_options options = {}) {
    return subscription(core::subscribe(core_, pattern, core::kind_of<T>(), std::move(options),
                                        std::make_unique<core::handler_sink<T, F>>(std::move(handler))));
  }

  template <class T>
  [[nodiscard]] actorbus::inbox<T> inbox(std::string_view pattern, inbox_options options = {}) {
    return actorbus::inbox<T>(core::open_inbox(core_, pattern, core::kind_of<T>(), std::move(options)));
  }

  /// Sees the metadata and the type of every event a pattern covers, of every type.
  template <class F>
  requires std::is_invocable_v<F&, const metadata&, std::type_index>
  [[nodiscard]] subscription observe(std::string_view pattern, F handler) {
    return subscription(core::observe(core_, pattern, std::make_unique<core::observer_sink<F>>(std::move(handler))));
  }

  /// Answers requests: `handler` takes `const event<Request>&` or `const Request&` and returns the reply. Several
  /// responders of one name share its requests. A handler that throws fails its request with handler_failed.
  template <class Request, class Reply, core::responder_of<Request> F>
  [[nodiscard]] subscription respond(std::string_view name, F handler, subscribe_options options = {}) {
    return core::respond<Request, Reply>(core_, name, std::move(handler), std::move(options));
  }

  /// Asks, without waiting. The future holds the reply, or a bus_error: no_responders at once, timeout, handler_failed,
  /// closed, would_block when too many requests are pending. Throws invalid_topic and type_mismatch.
  template <class Reply, class Request>
  std::future<Reply> request(std::string_view name, Request what, std::chrono::nanoseconds within, headers with = {}) {
    auto promise = std::make_shared<std::promise<Reply>>();
    auto result = promise->get_future();
    core::send_request<Reply>(core_, name, std::move(what), within, std::move(with), [promise](reply<Reply> r) {
      if (r) {
        promise->set_value(std::move(r).value());
      } else {
        promise->set_exception(std::make_exception_ptr(bus_error(r.error(), r.what())));
      }
    });
    return result;
  }

  /// The same for use inside handlers: `then(reply<Reply>)` is called on a worker, as a handler.
  template <class Reply, class Request, class F>
  requires std::is_invocable_v<F&, reply<Reply>>
  void request_async(std::string_view name, Request what, std::chrono::nanoseconds within, F then, headers with = {}) {
    auto kept = std::make_shared<F>(std::move(then));
    core::send_request<Reply>(core_, name, std::move(what), within, std::move(with),
                              on_worker<Reply>(core_, [kept](reply<Reply> r) { (*kept)(std::move(r)); }));
  }
  /// `reply<Reply> r = co_await bus.request_async<Reply>(name, what, 1s);` resumes on a worker, or where `resume_on`
  /// says.
  template <class Reply, class Request>
  awaited_reply<Reply> request_async(std::string_view name, Request what, std::chrono::nanoseconds within,
                                     headers with = {}, std::function<void(std::function<void()>)> resume_on = {}) {
    auto kept = std::make_shared<Request>(std::move(what));
    return awaited_reply<Reply>(
        [bus = core_, name = std::string(name), kept, within,
         with = std::move(with)](std::function<void(reply<Reply>)> then) {
          core::send_request<Reply>(bus, name, std::move(*kept), within, with, on_worker<Reply>(bus, std::move(then)));
        },
        std::move(resume_on));
  }

  /// Publishes the dead letters that topic `name` still keeps, and that were not yet redriven, on the topics they came
  /// from, oldest first, without the dead-letter headers. Returns how many. Stops, and throws, at the first one
  /// refused.
  template <class T>
  std::size_t redrive(std::string_view name) {
    return core::redrive<T>(core_, name);
  }

  /// Waits until everything published before this call was handled. False: not within that time. Inboxes, which their
  /// owners poll, do not count; a paused subscription does. Throws in_handler inside a handler.
  bool flush(std::chrono::nanoseconds within);

  bus_snapshot snapshot() const;

  /// Refuses further publishes from outside, lets handlers finish what was accepted (and what they publish meanwhile),
  /// runs the on_closing hooks, then ends everything; returns by the deadline. Inboxes stay readable to their end. A
  /// second call waits for the first and returns its report. Throws in_handler inside a handler.
  close_report close(std::chrono::nanoseconds within);
  close_report close();
  /// The same without waiting for handlers: what was not handled is abandoned.
  close_report abort();

  /// For bridges: called once by close, when the bus is quiet and before it ends, with the time that is left. What the
  /// hook publishes from inside is still delivered. Not called by abort.
  [[nodiscard]] closing_hook on_closing(std::function<void(std::chrono::nanoseconds)> hook);

  /// For bridges: where older events come from for every topic of T that the pattern covers, now and to come, and that
  /// has no source of its own (topic<T>::set_history_source). Of several sources the last one added counts. Throws
  /// invalid_pattern.
  template <class T>
  [[nodiscard]] history_hook add_history_source(std::string_view pattern, std::shared_ptr<history_source<T>> source) {
    return core::add_history_source<T>(core_, pattern, std::move(source));
  }

  const std::shared_ptr<core::bus_core>& core() const { return core_; }

 private:
  template <class T>
  actorbus::topic<T> open(std::string_view name, const topic_options* options) {
    auto found = core::open_topic(core_, name, core::kind_of<T>(), options);
    return actorbus::topic<T>(std::static_pointer_cast<core::topic_of<T>>(std::move(found)));
  }
  template <class Reply>
  static std::function<void(reply<Reply>)> on_worker(const std::shared_ptr<core::bus_core>& bus,
                                                     std::function<void(reply<Reply>)> then) {
    return [bus, then = std::move(then)](reply<Reply> r) {
      bus->post([then, kept = std::make_shared<reply<Reply>>(std::move(r))] { then(std::move(*kept)); });
    };
  }

  std::shared_ptr<core::bus_core> core_;
};

}  // namespace actorbus
