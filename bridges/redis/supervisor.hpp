// The bridge's actor: an activity of the bus's engine that is told how the connections stand, and calls those who want
// to know, on the pool and never on the loop.
//
// Threads: any; the callbacks run one after the other, as handlers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <bridges/redis/state.hpp>
#include <bus/bus_core.hpp>
#include <bus/engine.hpp>

namespace actorbus::redis {

class supervisor final : public activity, public std::enable_shared_from_this<supervisor> {
 public:
  using callback = std::function<void(const state&)>;

  /// The bridge's connections, by what they are for.
  enum class role : std::uint8_t { commands, messages, reading, group };

  explicit supervisor(std::shared_ptr<core::bus_core> bus) : bus_(std::move(bus)) {}
  void start();

  /// Called with the present state first, if there is one yet.
  void on_state(callback what);

  /// A connection of this role is needed from now on.
  void need(role what);
  void connecting(role what);
  void ready(role what);
  void lost(role what, const std::string& reason);
  void closed();

  /// Waits until every connection needed is ready. False: not by then, or closed.
  bool wait_ready(std::chrono::nanoseconds within);
  bool is_ready() const;

  bool run() override;

 private:
  enum class standing : std::uint8_t { unused, down, up };

  bool all_up() const;
  void tell(state what);  // under the mutex

  const std::shared_ptr<core::bus_core> bus_;
  std::unique_ptr<waker> waker_;
  core::wait_point changed_;
  mutable std::mutex mutex_;  // guards what follows
  std::array<standing, 4> roles_{};
  bool announced_ = false;  ///< `ready` was told last
  bool closed_ = false;
  std::uint64_t number_ = 0;
  std::deque<state> news_;
  state last_;
  std::vector<std::shared_ptr<callback>> callbacks_;
  std::vector<std::shared_ptr<callback>> fresh_;  ///< not yet told the present state
};

}  // namespace actorbus::redis
