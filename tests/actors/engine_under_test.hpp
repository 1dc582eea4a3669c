// One engine of each kind, with what a test of any of them needs: activities made of a lambda, and a way to wait for an
// outcome.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include <caf/all.hpp>

#include <actors/caf_engine.hpp>
#include <actors/host.hpp>
#include <bus/manual_engine.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::tests {

enum class engine_kind { manual, park, spin, hosted };

inline std::ostream& operator<<(std::ostream& out, engine_kind kind) {
  switch (kind) {
    case engine_kind::manual:
      return out << "manual";
    case engine_kind::park:
      return out << "park";
    case engine_kind::spin:
      return out << "spin";
    case engine_kind::hosted:
      return out << "hosted";
  }
  return out;
}

class engine_under_test {
 public:
  explicit engine_under_test(engine_kind kind, std::size_t workers = 2) : manual_(kind == engine_kind::manual) {
    if (manual_) {
      engine_ = std::make_shared<manual_engine>();
    } else if (kind == engine_kind::hosted) {
      config_.set("scheduler.max-threads", workers);
      system_.emplace(config_);
      engine_ = engine_on(*system_);
    } else {
      engine_ = make_caf_engine(
          {.workers = workers, .idle = kind == engine_kind::spin ? idle_strategy::spin : idle_strategy::park});
    }
  }

  engine& operator*() const { return *engine_; }
  engine* operator->() const { return engine_.get(); }

  bool is_manual() const { return manual_; }

  /// Waits as long as it takes.
  void until(const std::function<bool()>& done) { engine_->wait(changed, engine::time_point::max(), done); }

  /// The engine and, if it is hosted, the system under it.
  void destroy() {
    engine_.reset();
    system_.reset();
  }

  core::wait_point changed;

 private:
  const bool manual_;
  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
  std::shared_ptr<engine> engine_;
};

/// An activity with its waker. Each end of a slice is told to the test that waits.
class worker {
 public:
  worker(engine_under_test& on, std::function<bool()> slice, placement where = placement::pool)
      : what(std::make_shared<job>(on.changed, std::move(slice))), bell(on->add(what, where)) {}

  void wake() { bell->wake(); }

 private:
  class job : public activity {
   public:
    job(core::wait_point& changed, std::function<bool()> slice) : changed_(changed), slice_(std::move(slice)) {}

    bool run() override {
      const bool more = slice_();
      changed_.publish();
      return more;
    }

   private:
    core::wait_point& changed_;
    std::function<bool()> slice_;
  };

 public:
  std::shared_ptr<activity> what;
  std::unique_ptr<waker> bell;
};

/// Keeps one thread of an engine busy, from the end of its construction to `release`.
class blocker {
 public:
  explicit blocker(engine_under_test& on)
      : worker_(on, [this] {
          held_.store(true);
          gate_.publish();
          gate_.wait_until(core::wait_point::time_point::max(), [this] { return released_.load(); });
          return false;
        }) {
    worker_.wake();
    gate_.wait_until(core::wait_point::time_point::max(), [this] { return held_.load(); });
  }

  void release() {
    released_.store(true);
    gate_.publish();
  }

 private:
  core::wait_point gate_;
  std::atomic<bool> held_{false};
  std::atomic<bool> released_{false};
  worker worker_;
};

}  // namespace actorbus::tests
