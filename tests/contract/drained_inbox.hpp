// An inbox that a thread of its own drains, as a program's loop does.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include <bus/inbox.hpp>

#include "tests/contract/delivery_kind.hpp"

namespace actorbus::contract {

class drained_inbox final : public intake {
 public:
  drained_inbox(inbox<parcel> from, subscriber_side::receive to) : from_(std::move(from)), to_(std::move(to)) {
    thread_ = std::thread([this] { drain(); });
  }
  ~drained_inbox() override {
    stop_ = true;
    thread_.join();
  }

  bool read_to_the_end() override {
    return at_end_.get_future().wait_for(std::chrono::seconds{20}) == std::future_status::ready;
  }

 private:
  void drain() {
    while (!stop_ && !from_.closed()) {
      if (const auto one = from_.next(std::chrono::milliseconds{5})) to_(*one);
      if (!stop_) from_.poll(to_, 64);
    }
    at_end_.set_value();
  }

  inbox<parcel> from_;
  const subscriber_side::receive to_;
  std::atomic<bool> stop_{false};
  std::promise<void> at_end_;
  std::thread thread_;
};

}  // namespace actorbus::contract
