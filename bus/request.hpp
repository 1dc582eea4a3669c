// Request and reply: a request is an event on a topic of its own space, carrying the place where its answer goes.
//
// Threads: an answer completes exactly once, from whichever comes first: the responder, the timeout, or the end of the
// bus.
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/handler_sink.hpp>
#include <bus/publisher.hpp>
#include <bus/reply.hpp>
#include <bus/subscriber.hpp>
#include <bus/subscribing.hpp>
#include <bus/subscription.hpp>

namespace actorbus {
namespace core {

template <class Reply>
class pending_reply {
 public:
  pending_reply(std::shared_ptr<bus_core> bus, std::string name, std::function<void(reply<Reply>)> then)
      : bus_(std::move(bus)), name_(std::move(name)), then_(std::move(then)) {}

  /// Counts a reply that came too late; it is dropped.
  void answer(Reply value) {
    if (!complete(reply<Reply>(std::move(value)))) bus_->late_replies.fetch_add(1, std::memory_order_relaxed);
  }
  /// `more`: what the error's own text does not say.
  bool fail(errc why, const std::string& more = {}) {
    return complete(reply<Reply>(make_error_code(why), "request '" + name_ + (more.empty() ? "'" : "': " + more)));
  }
  void set_timer(const timers::handle& which) {
    timer_ = which;
    timed_.store(true, std::memory_order_release);
    if (done_.load(std::memory_order_acquire)) bus_->forget_timer(which);
  }
  bus_core& bus() const { return *bus_; }

 private:
  bool complete(reply<Reply> with) {
    if (done_.exchange(true, std::memory_order_acq_rel)) return false;
    if (timed_.load(std::memory_order_acquire)) bus_->forget_timer(timer_);
    bus_->pending_requests.fetch_sub(1, std::memory_order_relaxed);
    std::exchange(then_, nullptr)(std::move(with));
    return true;
  }

  const std::shared_ptr<bus_core> bus_;
  const std::string name_;
  std::function<void(reply<Reply>)> then_;
  std::atomic<bool> done_{false};
  std::atomic<bool> timed_{false};
  timers::handle timer_;
};

/// A request on its way. Destroyed unanswered, it fails: its responders are gone.
template <class Request, class Reply>
class request_message {
 public:
  request_message(Request what, std::shared_ptr<pending_reply<Reply>> answer)
      : value(std::move(what)), answer_(std::move(answer)) {}
  request_message(request_message&&) noexcept(std::is_nothrow_move_constructible_v<Request>) = default;
  ~request_message() {
    if (!answer_) return;
    answer_->fail(answer_->bus().is_closing() ? errc::closed : errc::no_responders);
  }

  pending_reply<Reply>& answer() const { return *answer_; }

  Request value;

 private:
  std::shared_ptr<pending_reply<Reply>> answer_;
};

template <class F, class Request>
concept responder_of = std::is_invocable_v < F&,
        const event<Request>
& > || std::is_invocable_v<F&, const Request&>;

template <class Request, class Reply, class F>
auto responding(F handler) {
  return [handler = std::move(handler)](const event<request_message<Request, Reply>>& e) mutable {
    pending_reply<Reply>& answer = e->answer();
    try {
      if constexpr (std::is_invocable_v<F&, const event<Request>&>) {
        const event<Request> request(e.view(), &e->value);
        answer.answer(handler(request));
      } else {
        answer.answer(handler(e->value));
      }
    } catch (...) {
      answer.fail(errc::handler_failed, text_of(std::current_exception()));
      throw;  // counted and logged as any handler's
    }
  };
}

/// Sends; `then` is called exactly once, maybe before this returns. Never waits. Mistakes of the caller (the name, the
/// types) throw, everything else arrives through `then`.
template <class Reply, class Request>
void send_request(const std::shared_ptr<bus_core>& bus, std::string_view name, Request what,
                  std::chrono::nanoseconds within, headers with, std::function<void(reply<Reply>)> then) {
  using message = request_message<Request, Reply>;
  auto answer = std::make_shared<pending_reply<Reply>>(bus, std::string(name), std::move(then));
  bus->pending_requests.fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<topic_core> topic;
  try {
    topic = open_request(bus, name, kind_of<message>());
  } catch (const bus_error& e) {
    if (e.code() != errc::closed) {
      bus->pending_requests.fetch_sub(1, std::memory_order_relaxed);
      throw;
    }
    answer->fail(errc::closed);
    return;
  }
  struct handle {
    topic_core& of;
    ~handle() { of.drop_handle(); }
  } released_at_the_end{*topic};
  if (bus->is_closing() && !in_handler()) {
    answer->fail(errc::closed);
    return;
  }
  if (!topic->has_literals()) {
    answer->fail(errc::no_responders);
    return;
  }
  if (bus->pending_requests.load(std::memory_order_relaxed) > bus->options().max_pending_requests) {
    answer->fail(errc::would_block, "too many requests are pending (bus_options::max_pending_requests)");
    return;
  }
  answer->set_timer(bus->later(within, [weak = std::weak_ptr<pending_reply<Reply>>(answer)] {
    if (auto late = weak.lock()) late->fail(errc::timeout);
  }));
  annotation_ptr note = annotate(std::move(with), 0);
  message sent(std::move(what), answer);
  handler_scope never_waits;
  auto slot = [&]() -> std::shared_ptr<lane>& { return lane_set::current().at(topic->id()); };
  const auto why = static_cast<topic_of<message>&>(*topic).accept(slot, arriving(std::move(sent), note.get()),
                                                                  topic_of<message>::at_once);
  if (!why) {
    note.leave();
  } else {
    answer->fail(why == errc::would_block ? errc::would_block : errc::closed);
  }
}

template <class Request, class Reply, class F>
subscription respond(const std::shared_ptr<bus_core>& bus, std::string_view name, F handler,
                     subscribe_options options) {
  require_topic_name(name);
  if (options.on_error != on_error::ignore()) {
    throw bus_error(errc::invalid_argument, "respond '" + std::string(name) +
                                                "': a failed request is answered with its error; on_error is ignore()");
  }
  if (options.from != replay::live()) {
    throw bus_error(errc::invalid_argument,
                    "respond '" + std::string(name) + "': requests are not replayed; from is live()");
  }
  if (options.group.empty()) options.group = "responders";
  using message = request_message<Request, Reply>;
  auto responder = responding<Request, Reply>(std::move(handler));
  using sink_type = handler_sink<message, decltype(responder)>;
  return subscription(subscribe(bus, name, kind_of<message>(), std::move(options),
                                std::make_unique<sink_type>(std::move(responder)), true));
}

}  // namespace core

/// `co_await bus.request_async<Reply>(...)`: a reply<Reply>. Resumes on a worker, or wherever `resume_on` takes the
/// function.
template <class Reply>
class awaited_reply {
 public:
  using sender = std::function<void(std::function<void(reply<Reply>)>)>;

  explicit awaited_reply(sender send, std::function<void(std::function<void()>)> resume_on)
      : send_(std::move(send)), resume_on_(std::move(resume_on)) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    auto send = std::move(send_);
    send([this, waiting](reply<Reply> with) {
      found_.emplace(std::move(with));
      if (const auto resume_on =
              std::move(resume_on_)) {  // a local: resuming elsewhere may end this object at any time
        resume_on([waiting] { waiting.resume(); });
      } else {
        waiting.resume();
      }
    });
  }
  reply<Reply> await_resume() { return std::move(*found_); }

 private:
  sender send_;
  std::function<void(std::function<void()>)> resume_on_;
  std::optional<reply<Reply>> found_;
};

}  // namespace actorbus
