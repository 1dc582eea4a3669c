// A manual engine that runs each slice on a thread of its own: whatever runs twice has moved between threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include <bus/manual_engine.hpp>

namespace actorbus::testing {

class wandering_engine final : public engine {
 public:
  /// See manual_engine.
  std::size_t run() { return inner_.run(); }

  std::unique_ptr<waker> add(std::weak_ptr<activity> what, placement where) override {
    auto moved = std::make_shared<wanderer>(std::move(what));
    auto bell = inner_.add(moved, where);
    return std::make_unique<keeping_waker>(std::move(moved), std::move(bell));
  }
  time_point now() const override { return inner_.now(); }
  std::chrono::system_clock::time_point wall_now() const override { return inner_.wall_now(); }
  bool wait(core::wait_point& at, time_point deadline, const std::function<bool()>& done) override {
    return inner_.wait(at, deadline, done);
  }
  void stop() override { inner_.stop(); }

 private:
  class wanderer final : public activity {
   public:
    explicit wanderer(std::weak_ptr<activity> what) : what_(std::move(what)) {}
    bool run() override {
      bool more = false;
      std::thread([&] {
        if (const auto what = what_.lock()) more = what->run();
      }).join();
      return more;
    }

   private:
    const std::weak_ptr<activity> what_;
  };

  class keeping_waker final : public waker {
   public:
    keeping_waker(std::shared_ptr<wanderer> what, std::unique_ptr<waker> bell)
        : what_(std::move(what)), bell_(std::move(bell)) {}
    void wake() override { bell_->wake(); }
    void wake_at(std::chrono::steady_clock::time_point when) override { bell_->wake_at(when); }

   private:
    const std::shared_ptr<wanderer> what_;
    const std::unique_ptr<waker> bell_;
  };

  manual_engine inner_;
};

}  // namespace actorbus::testing
