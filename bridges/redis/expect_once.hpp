// One reply for one function, called with null if it will not come.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include <bridges/redis/connection.hpp>

namespace actorbus::redis {

/// For the command just appended to `by`, which may take so much longer than others.
inline void expect_once(connection& by, std::function<void(const reply*)> then, std::chrono::nanoseconds longer = {}) {
  /// Lives until it was called.
  class once final : public reply_sink {
   public:
    explicit once(std::function<void(const reply*)> call) : call_(std::move(call)) {}
    void take(const reply& what, connection&) override { finish(&what); }
    void lost(std::size_t) override { finish(nullptr); }

   private:
    void finish(const reply* what) {
      const auto call = std::move(call_);
      delete this;
      call(what);
    }
    std::function<void(const reply*)> call_;
  };
  by.expect(*new once(std::move(then)), 1, longer);
}

}  // namespace actorbus::redis
