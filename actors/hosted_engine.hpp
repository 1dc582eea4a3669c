// The engine on an actor system that somebody else owns.
//
// Threads: any; `stop` once, from outside every activity. After it nothing here touches the actor system any more.
#pragma once

#include <functional>
#include <memory>

#include <actors/activity_host.hpp>
#include <bus/engine.hpp>

namespace actorbus::actors {

class hosted_engine : public engine {
 public:
  /// `on_thread_start` is called on the one thread that this engine adds to the system's: the clock of its alarms.
  explicit hosted_engine(caf::actor_system& system, std::function<void()> on_thread_start = {});
  ~hosted_engine() override;  // stops, if nobody did
  hosted_engine(const hosted_engine&) = delete;
  hosted_engine& operator=(const hosted_engine&) = delete;

  std::unique_ptr<waker> add(std::weak_ptr<activity> what, placement where) override;
  time_point now() const override;
  std::chrono::system_clock::time_point wall_now() const override;
  bool is_crowded() const override { return host_.is_crowded(); }
  bool may_linger() const override { return !host_.is_crowded(); }
  bool wait(core::wait_point& at, time_point deadline, const std::function<bool()>& done) override;

  /// Returns when no slice runs, no waker is in the middle of a wake, and no handle to an actor is left.
  void stop() override;

 private:
  activity_host host_;
};

}  // namespace actorbus::actors
