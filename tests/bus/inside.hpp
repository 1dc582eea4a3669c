// Every kind of function that a bus calls, as places where a test lets something happen.
//
// Threads: the test's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>

#include <bus/bus.hpp>

#include "tests/eventually.hpp"

namespace actorbus::testing {

enum class inside { pool, topic, own_thread, poll, where, key, interceptor, responder, reply, pressure, observer };

inline std::ostream& operator<<(std::ostream& out, inside which) {
  static constexpr const char* names[]{"a handler on the pool",
                                       "a handler in its topic",
                                       "a handler on its own thread",
                                       "a poll callback",
                                       "a where",
                                       "a key",
                                       "an interceptor",
                                       "a responder",
                                       "the callback of a request",
                                       "an on_pressure",
                                       "an observer"};
  return out << names[static_cast<int>(which)];
}

/// Has the bus call a function of that kind, which does `what` once; returns when it did. False: it was not called, or
/// did not return.
class happening {
 public:
  happening(inside which, actorbus::bus& on, std::function<void()> what) : on_(on), what_(std::move(what)) {
    bring_about(which);
  }

  bool ended() const {
    return eventually([this] { return ended_.load(); });
  }

 private:
  void once() {
    if (!begun_->exchange(true)) {
      what_();
      ended_ = true;
    }
  }

  void bring_about(inside which) {
    const auto handler = [this](const int&) { once(); };
    const auto nothing = [](const int&) {};
    auto here = on_.topic<int>("inside.here");
    switch (which) {
      case inside::pool:
        subscription_ = here.subscribe(handler);
        break;
      case inside::topic:
        subscription_ = here.subscribe(handler, {.run_on = run_on::topic});
        break;
      case inside::own_thread:
        subscription_ = here.subscribe(handler, {.run_on = run_on::own_thread});
        break;
      case inside::poll: {
        auto in = here.inbox();
        here.publish(1);
        static_cast<void>(eventually([&] { return in.poll(handler) != 0; }));
        return;
      }
      case inside::where:
        subscription_ = here.subscribe(nothing, {.where = [this](const metadata&) { return once(), true; }});
        break;
      case inside::key:
        subscription_ = here.subscribe(nothing, {.group = "g", .key = [this](const metadata&) { return once(), 1; }});
        break;
      case inside::interceptor: {
        const interceptor look = [this](const metadata&, headers&) { return once(), std::error_code{}; };
        on_.topic<int>("inside.intercepted", {.intercept = look}).publish(1);
        return;
      }
      case inside::responder:
        subscription_ = on_.respond<int, int>("ask", [this](const int& i) { return once(), i; });
        static_cast<void>(on_.request<int>("ask", 1, std::chrono::seconds{20}));
        return;
      case inside::reply:
        subscription_ = on_.respond<int, int>("ask", [](const int& i) { return i; });
        on_.request_async<int>("ask", 1, std::chrono::seconds{20}, [this](reply<int>) { once(); });
        return;
      case inside::pressure:
        inbox_ = here.inbox();  // that nobody polls
        // It is called as long as the topic lives, which is longer than this does.
        here.on_pressure(1, 0, [this, begun = begun_](pressure, std::size_t) {
          if (!*begun) once();
        });
        break;
      case inside::observer:
        subscription_ = on_.observe("inside.*", [this](const metadata&, std::type_index) { once(); });
        break;
    }
    here.publish(1);
  }

  actorbus::bus& on_;
  const std::function<void()> what_;
  const std::shared_ptr<std::atomic<bool>> begun_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> ended_{false};
  subscription subscription_;
  inbox<int> inbox_;
};

}  // namespace actorbus::testing
