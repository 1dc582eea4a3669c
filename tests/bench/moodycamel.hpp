// moodycamel's ConcurrentQueue, one for each receiver, with a token for each producer and consumer as its documentation
// advises; and its blocking form.
#pragma once

#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "receiver.hpp"

namespace actorbus::bench {

enum class camel { one_at_a_time, in_bulk, blocking };

template <class T, camel How, class Receiver = receiver>
class moodycamel_queue {
 public:
  static constexpr std::size_t events = 1'000'000;

  moodycamel_queue(const wiring& w, receivers<Receiver>& to) : subscribers_(w.subscribers) {
    for (auto& each : to.each) {
      auto& q = *queues_.emplace_back(std::make_unique<queue>());
      threads_.emplace_back([this, &q, &each] { consume(q, each); });
    }
  }
  ~moodycamel_queue() {
    ended_ = true;
    if constexpr (How == camel::blocking) {
      for (auto& q : queues_) q->enqueue(T{});
    }
    for (auto& each : threads_) each.join();
  }

  class port_type {
   public:
    explicit port_type(moodycamel_queue& of) : of_(of) {
      for (auto& q : of.queues_) tokens_.emplace_back(*q);
    }
    void send(std::size_t topic, const T& value) {
      for (std::size_t i = topic * of_.subscribers_; i < (topic + 1) * of_.subscribers_; ++i) {
        of_.queues_[i]->enqueue(tokens_[i], value);
      }
    }
    void send(std::size_t topic, T&& value) {
      if (of_.subscribers_ != 1) return send(topic, std::as_const(value));
      of_.queues_[topic]->enqueue(tokens_[topic], std::move(value));
    }

   private:
    moodycamel_queue& of_;
    std::vector<::moodycamel::ProducerToken> tokens_;
  };
  port_type port(std::size_t) { return port_type(*this); }

 private:
  using queue = std::conditional_t<How == camel::blocking, ::moodycamel::BlockingConcurrentQueue<T>,
                                   ::moodycamel::ConcurrentQueue<T>>;

  void consume(queue& q, Receiver& to) {
    ::moodycamel::ConsumerToken token(q);
    if constexpr (How == camel::in_bulk) {
      std::vector<T> taken(256);
      while (!ended_.load(std::memory_order_relaxed)) {
        const std::size_t count = q.try_dequeue_bulk(token, taken.data(), taken.size());
        for (std::size_t i = 0; i < count; ++i) to.take(taken[i]);
      }
    } else {
      T value;
      for (;;) {
        if constexpr (How == camel::blocking) {
          q.wait_dequeue(token, value);
        } else {
          while (!q.try_dequeue(token, value)) {
            if (ended_.load(std::memory_order_relaxed)) return;
          }
        }
        if (ended_.load(std::memory_order_relaxed)) return;
        to.take(value);
      }
    }
  }

  const std::size_t subscribers_;
  std::vector<std::unique_ptr<queue>> queues_;
  std::atomic<bool> ended_{false};
  std::vector<std::thread> threads_;
};

}  // namespace actorbus::bench
