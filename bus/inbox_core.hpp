// An inbox without its type: a reader that its owner's thread runs, by polling.
//
// Threads: poll, wait and the rest by one thread at a time; being woken from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

#include <bus/engine.hpp>
#include <bus/reader.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::core {

class inbox_core final : public reader, public activity {
 public:
  inbox_core(std::shared_ptr<bus_core> bus, settings with);
  ~inbox_core() override;

  /// Passes at most `budget` entries to `to`. Exceptions pass through, their entry consumed.
  void poll(sink& to, std::size_t budget);
  /// Something is there to be polled, if only a notice.
  bool has_something() const { return has_news() || has_left_over_.load(std::memory_order_acquire); }
  bool is_readable() const { return has_something() || is_closed(); }
  bool is_closed() const;
  bool wait(engine::time_point deadline);
  /// A descriptor that is readable while the inbox is. Owned by the inbox.
  int readable_fd();
  /// Calls `when_readable` once, from a worker.
  void notify_once(std::function<void()> when_readable);
  void close();

  bool run() override;
  void end(finish_reason why) override;
  bool counts_for_quiet() const override { return false; }
  bool holds_up_closing() const override { return false; }
  bool awaits_worker() override;

 protected:
  void rung(topic_core* by) override;
  bool on_failure(const batch& at) override;
  void on_notice_failure(cursor& at) override;
  void on_disconnect(cursor& at, sink& to) override;
  void on_finished(finish_reason why) override;

 private:
  void rest();
  void signal();
  void clear_signal();

  wait_point readable_;
  std::atomic<bool> has_left_over_{false};  ///< the last poll stopped before the end
  std::atomic<bool> bus_is_over_{false};
  std::atomic<int> fd_{-1};
  std::mutex mutex_;  // guards what follows
  std::function<void()> when_readable_;
  std::unique_ptr<waker> waker_;
};

}  // namespace actorbus::core
