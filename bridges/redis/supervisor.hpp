// The bridge's actor: an activity of the bus's engine that is told how the connections stand, and calls those who want
// to know, on the pool and never on the loop.
//
// Threads: any; the callbacks run one after the other, as handlers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
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

  /// Something more is wanted of this role's connection: not ready before it was asked for, by `asked`, and `ready`
  /// was told. `whose`: where a role has several.
  void need(role what, const void* whose = nullptr);
  void asked(role what);
  /// Its connection stands, but something new is not confirmed yet: not ready until `ready` is told again.
  void waits(role what);
  void connecting(role what, const void* whose = nullptr);
  void ready(role what, const void* whose = nullptr);
  void lost(role what, const std::string& reason, const void* whose = nullptr);
  /// Its connection is not needed any more.
  void gone(role what, const void* whose);
  void closed();

  /// Waits until every connection needed is ready. False: not by then, or closed.
  bool wait_ready(std::chrono::nanoseconds within);
  bool is_ready() const;

  bool run() override;

 private:
  enum class standing : std::uint8_t { down, up };

  bool all_up() const;
  void tell(state what);  // under the mutex
  void look();            // under the mutex

  const std::shared_ptr<core::bus_core> bus_;
  std::unique_ptr<waker> waker_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::size_t unasked_ = 0;
  std::map<std::pair<role, const void*>, standing> roles_;
  bool announced_ = false;  ///< `ready` was told last
  bool closed_ = false;
  std::uint64_t number_ = 0;
  std::map<std::pair<role, const void*>, std::uint64_t> numbers_;  ///< of the newest connection of each
  std::deque<state> news_;
  state last_;
  std::vector<std::shared_ptr<callback>> callbacks_;
  std::vector<std::shared_ptr<callback>> fresh_;  ///< not yet told the present state
};

}  // namespace actorbus::redis
