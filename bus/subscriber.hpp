// A subscription at work: a reader that calls one handler, on the pool, inside its topic, or on a thread of its own.
//
// The protocol of its end: `control` says cancelled or ended; whoever then gets the doorbell's right to run tears it
// down, which drops the cursors and destroys the handler, and never gives the right back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <bus/dead_letter.hpp>
#include <bus/engine.hpp>
#include <bus/options.hpp>
#include <bus/reader.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::core {

class subscriber : public reader, public activity {
 public:
  struct conduct {
    actorbus::run_on run_on = actorbus::run_on::pool;
    actorbus::on_error on_error = actorbus::on_error::ignore();
    std::weak_ptr<void> owner = {};
    std::unique_ptr<dead_letter_box> dead_letters = {};
  };

  subscriber(std::shared_ptr<bus_core> bus, settings with, conduct how, std::unique_ptr<sink> to);
  ~subscriber() override;

  /// Once, before the first cursor.
  void start();

  /// As subscription::cancel promises.
  virtual void cancel();
  void pause();
  void resume();
  bool is_active() const { return (control_.load(std::memory_order_acquire) & (cancelled | ended)) == 0; }

  /// For a sink that is full, from inside its call: no call begins before release_hold. Unlike a pause it holds up
  /// closing.
  void hold() { control_.fetch_or(held, std::memory_order_relaxed); }
  void release_hold();

  bool run() override;
  void end(finish_reason why) override;
  /// Torn down: its handler is gone.
  bool is_gone() const { return gone_.load(std::memory_order_acquire); }
  /// Its account is final.
  bool is_over() const { return over_.load(std::memory_order_acquire); }

  bool counts_for_quiet() const override { return true; }
  bool runs_inside() const override { return how_.run_on == run_on::topic; }
  std::uint64_t failures() const;

 protected:
  void rung(topic_core* by) override;
  bool on_failure(const batch& at) override;
  void on_notice_failure(cursor& at) override;
  void on_disconnect(cursor& at, sink& to) override;
  void on_finished(finish_reason) override { control_.fetch_or(ended, std::memory_order_relaxed); }

  /// What run() does while it has the right: reads. True: more is there.
  virtual bool work();
  /// Before the handler is destroyed.
  virtual void on_tear_down() {}
  /// Rests until `delay` has passed.
  void hold_for(std::chrono::nanoseconds delay);
  bool lift(std::uint8_t flags);
  sink& handler() { return *sink_; }
  const conduct& how() const { return how_; }

  /// An event whose handler failed for good and whose dead letter has no place yet.
  struct unplaced {
    stretch pinned;
    entry_view what;
    std::size_t attempts;
    std::string error;
    cursor* at;  ///< where it was read, to be advanced behind it; null: by the group
    bool is_replay;
  };
  bool place(const unplaced& letter);
  bool retry_placing();
  void report(std::exception_ptr error, const std::string& where);

  std::optional<unplaced> unplaced_;
  lane_set lanes_;

 private:
  bool settle(bool more);
  void request_stop(std::uint8_t flag);
  bool try_tear_down();
  void tear_down();
  void conclude(const batch& at);

  conduct how_;
  std::unique_ptr<sink> sink_;
  std::unique_ptr<waker> waker_;
  wait_point gone_point_;
  std::atomic<bool> over_{false};
  std::atomic<bool> gone_{false};
  std::chrono::steady_clock::time_point last_report_{};
  std::uint64_t unreported_ = 0;
};

/// The text of an exception in flight.
std::string text_of(const std::exception_ptr& error);

}  // namespace actorbus::core
