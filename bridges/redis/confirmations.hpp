// Who waits to hear that an event is in its stream: publish_confirmed's promises, by a token that the event carries.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <mutex>
#include <optional>

#include <bridges/redis/stream_id.hpp>
#include <bus/errors.hpp>

namespace actorbus::redis {

class confirmations {
 public:
  using clock = std::chrono::steady_clock;

  struct request {
    std::promise<stream_id> promise;
    clock::time_point deadline;
    std::size_t replicas;
    std::chrono::nanoseconds within;
  };

  /// Returns the token. After `expire` of all, it fails at once.
  std::uint64_t add(request what) {
    std::lock_guard lock(mutex_);
    ++last_;
    if (is_closed_) {
      what.promise.set_exception(
          std::make_exception_ptr(bus_error(errc::closed, "publish_confirmed: the bridge is closed")));
    } else {
      waiting_.emplace(last_, std::move(what));
    }
    return last_;
  }
  /// Takes it out, if it still waits.
  std::optional<request> take(std::uint64_t token) {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(token);
    if (found == waiting_.end()) return std::nullopt;
    std::optional<request> taken(std::move(found->second));
    waiting_.erase(found);
    return taken;
  }
  void fail(std::uint64_t token, errc why, const std::string& what) {
    if (auto one = take(token)) one->promise.set_exception(std::make_exception_ptr(bus_error(why, what)));
  }
  /// Fails those whose time is over, or all.
  void expire(clock::time_point now, bool all = false) {
    std::map<std::uint64_t, request> gone;
    {
      std::lock_guard lock(mutex_);
      is_closed_ = is_closed_ || all;
      for (auto at = waiting_.begin(); at != waiting_.end();) {
        const auto next = std::next(at);
        if (all || at->second.deadline <= now) gone.insert(waiting_.extract(at));
        at = next;
      }
    }
    for (auto& [token, each] : gone) {
      each.promise.set_exception(std::make_exception_ptr(
          bus_error(all ? errc::closed : errc::timeout,
                    all ? "publish_confirmed: the bridge was closed; the event may be in the stream"
                        : "publish_confirmed: no acknowledgement in time; the event may still come into the stream")));
    }
  }
  bool empty() const {
    std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, request> waiting_;
  std::uint64_t last_ = 0;
  bool is_closed_ = false;
};

}  // namespace actorbus::redis
