// What `co_await inbox.next_async()` waits on.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <bus/event.hpp>
#include <bus/handler_sink.hpp>
#include <bus/inbox_core.hpp>

namespace actorbus {

template <class T>
class next_event {
 public:
  next_event(std::shared_ptr<core::inbox_core> from, std::function<void(std::function<void()>)> resume_on)
      : from_(std::move(from)), resume_on_(std::move(resume_on)) {}

  bool await_ready() { return !from_ || take() || from_->is_closed(); }

  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    wait();
  }

  std::optional<event<T>> await_resume() { return std::move(found_); }

 private:
  bool take() {
    auto keep = [this](const event<T>& e) { found_.emplace(e); };
    core::handler_sink<T, decltype(keep)> one(keep);
    while (from_->has_something() && !found_) from_->poll(one, 1);
    return found_.has_value();
  }

  /// A filtered event wakes as well: look, and wait on. While it waits nobody else polls, so the worker may.
  void wait() {
    from_->notify_once([this] {
      if (!take() && !from_->is_closed()) return wait();
      if (const auto resume_on =
              std::move(resume_on_)) {  // a local: resuming elsewhere may end this object at any time
        resume_on([waiting = waiting_] { waiting.resume(); });
      } else {
        waiting_.resume();
      }
    });
  }

  const std::shared_ptr<core::inbox_core> from_;
  std::function<void(std::function<void()>)> resume_on_;
  std::coroutine_handle<> waiting_;
  std::optional<event<T>> found_;
};

}  // namespace actorbus
