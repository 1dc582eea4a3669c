// Something to be done soon, or after a while: once, however often it is asked for until then.
//
// Threads: the loop's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <bridges/redis/io_loop.hpp>

namespace actorbus::redis {

class deferred_call {
 public:
  /// `after` 0: behind what the loop has to do now, such as replies that are there already.
  deferred_call(io_loop& loop, std::function<void()> what, std::chrono::nanoseconds after = {})
      : context_(loop.context()), timer_(loop.context()), what_(std::move(what)), after_(after) {}

  /// `owner`: whose member this is. It lives through the call, and there is none without it.
  void plan(std::weak_ptr<void> owner) {
    if (std::exchange(planned_, true)) return;
    auto run = [this, owner = std::move(owner)] {
      const auto alive = owner.lock();
      if (!alive) return;
      planned_ = false;
      what_();
    };
    if (after_.count() == 0) return boost::asio::post(context_, std::move(run));
    timer_.expires_after(after_);
    timer_.async_wait([run = std::move(run)](boost::system::error_code error) {
      if (!error) run();
    });
  }
  /// For good.
  void cancel() { timer_.cancel(); }

 private:
  boost::asio::io_context& context_;
  boost::asio::steady_timer timer_;
  const std::function<void()> what_;
  const std::chrono::nanoseconds after_;
  bool planned_ = false;
};

}  // namespace actorbus::redis
