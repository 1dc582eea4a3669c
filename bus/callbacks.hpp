// Functions to be called soon on a worker: replies to request_async, which must not run on the timers' thread.
//
// Threads: post from any; the functions run one after the other, as handlers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <bus/engine.hpp>

namespace actorbus::core {

class callbacks : public activity, public std::enable_shared_from_this<callbacks> {
 public:
  explicit callbacks(engine& by) : engine_(by) {}

  void post(std::function<void()> callback);
  bool run() override;
  bool empty() const;

 private:
  engine& engine_;
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
  std::unique_ptr<waker> waker_;
  bool runs_ = false;
};

}  // namespace actorbus::core
