// Those who call a consumer's handler: activities of the bus's engine, as many as handlers may run at once.
//
// Batches of entries are given to all of them; whoever is free takes the next entry, so that a slow call holds up no
// other entry while a hand is free. A batch costs a lock, an entry two atomic steps.
// Threads: `give`, `rearm` and `close` from any, `wait_idle` from outside handlers. Ownership: shared; it may outlive
// the bridge, then it does nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <bridges/redis/group_batch.hpp>
#include <bridges/redis/group_handler.hpp>
#include <bus/bus_core.hpp>
#include <bus/in_handler.hpp>
#include <bus/run_on.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::redis {

class group_hands final : public std::enable_shared_from_this<group_hands> {
 public:
  group_hands(std::shared_ptr<core::bus_core> bus, const wire_format& as, std::unique_ptr<group_handler> handler);
  ~group_hands();

  /// Makes them. `on_outcome` is called from any thread, when there is something to collect: once, until `rearm`, and
  /// whenever a hand has nothing left to do.
  void start(std::size_t hands, run_on where, std::function<void()> on_outcome);

  void give(std::shared_ptr<group_batch> what);
  /// The next outcome is to be told again. What came before is seen by whoever looks behind this call.
  void rearm() { told_.exchange(false, std::memory_order_seq_cst); }

  /// No call of the handler begins any more.
  void close();
  /// Whoever sees an outcome that came behind `close` sees this too.
  bool is_closed() const { return closed_.load(std::memory_order_seq_cst); }
  /// Behind `close`: until no call runs; then the handler is destroyed.
  void wait_idle();

 private:
  class hand;

  std::shared_ptr<group_batch> next_batch(hand& of);
  void tell();
  void tell_at_once();

  const std::shared_ptr<core::bus_core> bus_;
  const wire_format& as_;
  std::unique_ptr<group_handler> handler_;
  std::function<void()> on_outcome_;
  std::vector<std::shared_ptr<hand>> hands_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> told_{false};
  core::wait_point idle_;
  std::mutex mutex_;  // guards what follows
  std::deque<std::shared_ptr<group_batch>> waiting_;
  std::mutex ending_;
};

}  // namespace actorbus::redis
