// Events for a thread of your own: a game tick, a robot's loop, a test.
//
// Threads: one at a time; it is woken from any.
// When full: its `overflow` acts, by default drop_oldest, so that an inbox nobody polls stalls nothing.
// When closed: what is there stays readable to its end; then closed() is true, next() is empty, iteration ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/event.hpp>
#include <bus/handler_sink.hpp>
#include <bus/inbox_core.hpp>
#include <bus/next_event.hpp>

namespace actorbus {

template <class T>
class inbox {
 public:
  inbox() = default;
  explicit inbox(std::shared_ptr<core::inbox_core> what) : core_(std::move(what)) {}
  inbox(inbox&&) noexcept = default;
  inbox& operator=(inbox&& other) noexcept {
    if (this != &other) {
      close();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~inbox() { close(); }

  /// Calls `handler` with what is there now, at most `most` events, and with the notices it takes; returns how many
  /// events. Never blocks, allocates nothing. An exception of the handler's passes through; its event counts as read.
  template <core::handler_of<T> F>
  std::size_t poll(F&& handler, std::size_t most = std::numeric_limits<std::size_t>::max()) {
    if (!core_) return 0;
    const auto kept = core_;  // the handler may close or destroy this inbox
    polling<std::remove_reference_t<F>> calls(handler, most);
    kept->poll(calls, most);
    return calls.handled();
  }

  /// The next event, kept; waits for it without a limit. Empty once the inbox is closed. In a handler it never waits.
  std::optional<event<T>> next() { return next_until(engine::time_point::max()); }

  /// The same, waiting at most so long. Empty on timeout or when closed.
  std::optional<event<T>> next(std::chrono::nanoseconds within) {
    if (!core_) return std::nullopt;
    const auto now = core_->bus().engine().now();
    return next_until(within > engine::time_point::max() - now ? engine::time_point::max() : now + within);
  }

  /// `co_await in.next_async()`: as next(), suspending instead of waiting. Resumes on a worker of the bus, or wherever
  /// `resume_on` takes the function it is given. One at a time; the inbox must live until it resumes.
  next_event<T> next_async(std::function<void(std::function<void()>)> resume_on = {}) {
    return next_event<T>(core_, std::move(resume_on));
  }

  /// Nothing more will come: it was closed, its topic is finished, or the bus is closed, and everything was read.
  bool closed() const { return !core_ || core_->is_closed(); }

  /// Everything of the topic before `sequence` was read from here, or dropped.
  bool has_read(std::string_view topic, std::uint64_t sequence) const {
    return !core_ || core_->has_read(topic, sequence);
  }

  /// Events lost to its `overflow` so far.
  std::uint64_t dropped() const { return core_ ? core_->account().dropped : 0; }

  /// A descriptor for a foreign loop: readable while events are there or the inbox has closed. Poll until it is not.
  /// Owned by the inbox; -1 once it was closed.
  int readable_fd() { return core_ ? core_->readable_fd() : -1; }

  /// Ends it; what was not read is lost.
  void close() {
    if (const auto what = std::exchange(core_, nullptr)) what->close();
  }

  /// `for (const auto& e : in)`: waits for each event; ends when the inbox has closed.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = event<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = const event<T>*;
    using reference = const event<T>&;

    iterator() = default;
    explicit iterator(inbox& from) : from_(&from) { ++*this; }
    reference operator*() const { return *now_; }
    pointer operator->() const { return &*now_; }
    iterator& operator++() {
      now_.reset();
      now_ = from_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& a, const iterator& b) { return a.now_.has_value() == b.now_.has_value(); }

   private:
    inbox* from_ = nullptr;
    std::optional<event<T>> now_;
  };
  iterator begin() { return iterator(*this); }
  iterator end() { return {}; }

 private:
  /// Calls a handler and counts.
  template <class F>
  class polling final : public core::sink {
   public:
    polling(F& handler, std::size_t most) : handler_(handler), most_(most) {}
    std::size_t handled() const { return handled_; }

    void take(core::reader& by, const core::batch& entries) override {
      const core::batch some{entries.from, entries.holder, entries.first, std::min(entries.count, most_ - handled_),
                             entries.replay};
      core::for_each_entry(
          by, some,
          [this](const core::entry_view& view) {
            ++handled_;
            core::call_handler<T>(handler_, view);
          },
          [this](const core::notice& what) { core::tell_handler(handler_, what); });
    }
    void tell(const core::notice& what) override { core::tell_handler(handler_, what); }

   private:
    F& handler_;
    const std::size_t most_;
    std::size_t handled_ = 0;
  };

  std::optional<event<T>> next_until(engine::time_point deadline) {
    std::optional<event<T>> found;
    auto keep = [&](const event<T>& e) { found.emplace(e); };
    for (;;) {
      if (!core_) return std::nullopt;
      while (core_->has_something() && !found) {
        polling<decltype(keep)> one(keep, 1);
        core_->poll(one, 1);
      }
      if (found || core_->is_closed()) return found;
      if (!core_->wait(deadline)) return std::nullopt;
    }
  }

  std::shared_ptr<core::inbox_core> core_;
};

}  // namespace actorbus
