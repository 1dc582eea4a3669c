// What a user might take instead of the bus, each as its documentation says it is fastest for this work. Each is a
// subject as in ours.hpp.
#pragma once

#include <array>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/signals2/signal.hpp>
#include <caf/all.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "receiver.hpp"

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actorbus::bench::small)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actorbus::bench::block)

namespace actorbus::bench {

enum class caf_policy { sharing, stealing };

struct caf_config : caf::actor_system_config {
  explicit caf_config(caf_policy policy) {
    set("scheduler.policy", policy == caf_policy::sharing ? caf::atom("sharing") : caf::atom("stealing"));
  }
};

/// Raw CAF: an actor a receiver, a message an event; to several receivers one message goes, not a copy for each.
template <class T, class Receiver = receiver>
class caf_actors {
 public:
  static constexpr std::size_t events = 300'000;

  caf_actors(const wiring& w, receivers<Receiver>& to, caf_policy policy)
      : config_(policy), system_(config_), subscribers_(w.subscribers) {
    for (auto& each : to.each) {
      actors_.push_back(system_.spawn([&each]() -> caf::behavior { return {[&each](const T& v) { each.take(v); }}; }));
    }
  }
  ~caf_actors() {
    for (auto& each : actors_) caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  }

  struct port_type {
    caf_actors& of;
    void send(std::size_t topic, T value) {
      if (of.subscribers_ == 1) return caf::anon_send(of.actors_[topic], std::move(value));
      const auto message = caf::make_message(std::move(value));
      for (std::size_t i = 0; i < of.subscribers_; ++i) {
        caf::anon_send(of.actors_[topic * of.subscribers_ + i], message);
      }
    }
  };
  port_type port(std::size_t) { return {*this}; }
  caf::actor_system& system() { return system_; }

 private:
  caf_config config_;
  caf::actor_system system_;
  const std::size_t subscribers_;
  std::vector<caf::actor> actors_;
};

/// CAF's own publish/subscribe: local groups.
template <class T, class Receiver = receiver>
class caf_groups {
 public:
  static constexpr std::size_t events = 300'000;

  caf_groups(const wiring& w, receivers<Receiver>& to, caf_policy policy) : config_(policy), system_(config_) {
    for (std::size_t t = 0; t < w.topics; ++t) groups_.push_back(system_.groups().get_local("g" + std::to_string(t)));
    std::atomic<std::size_t> joined{0};
    for (std::size_t i = 0; i < to.each.size(); ++i) {
      auto& each = to.each[i];
      actors_.push_back(system_.spawn(
          [&each, &joined, group = groups_[i / w.subscribers]](caf::event_based_actor* self) -> caf::behavior {
            self->join(group);
            ++joined;
            return {[&each](const T& v) { each.take(v); }};
          }));
    }
    while (joined != to.each.size()) std::this_thread::yield();
  }
  ~caf_groups() {
    for (auto& each : actors_) caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  }

  struct port_type {
    caf_groups& of;
    void send(std::size_t topic, T value) { caf::anon_send(of.groups_[topic], std::move(value)); }
  };
  port_type port(std::size_t) { return {*this}; }

 private:
  caf_config config_;
  caf::actor_system system_;
  std::vector<caf::group> groups_;
  std::vector<caf::actor> actors_;
};

/// Boost.Signals2: the publisher calls the receivers itself; several publishers do so at once, so each receiver has a
/// lock.
template <class T, class Receiver = receiver>
class signals2 {
 public:
  static constexpr std::size_t events = 500'000;

  signals2(const wiring& w, receivers<Receiver>& to) : signals_(w.topics) {
    for (std::size_t i = 0; i < to.each.size(); ++i) {
      auto& each = to.each[i];
      auto& signal = signals_[i / w.subscribers];
      if (w.publishers == 1) {
        signal.connect([&each](const T& v) { each.take(v); });
      } else {
        auto& mutex = mutexes_.emplace_back();
        signal.connect([&each, &mutex](const T& v) {
          std::lock_guard lock(mutex);
          each.take(v);
        });
      }
    }
  }

  struct port_type {
    signals2& of;
    void send(std::size_t topic, const T& value) { of.signals_[topic](value); }
  };
  port_type port(std::size_t) { return {*this}; }

 private:
  std::vector<boost::signals2::signal<void(const T&)>> signals_;
  std::deque<std::mutex> mutexes_;
};

/// A mutex, a deque and a condition variable. The consumer takes out all there is at once.
template <class T, class Receiver = receiver>
class mutex_queue {
 public:
  static constexpr std::size_t events = 1'000'000;

  mutex_queue(const wiring& w, receivers<Receiver>& to) : subscribers_(w.subscribers) {
    for (auto& each : to.each) {
      auto& q = queues_.emplace_back();
      threads_.emplace_back([&q, &each] {
        std::deque<T> taken;
        for (;;) {
          {
            std::unique_lock lock(q.mutex);
            q.changed.wait(lock, [&] { return q.ended || !q.waiting.empty(); });
            if (q.waiting.empty()) return;
            taken.swap(q.waiting);
          }
          for (const auto& v : taken) each.take(v);
          taken.clear();
        }
      });
    }
  }
  ~mutex_queue() {
    for (auto& q : queues_) {
      {
        std::lock_guard lock(q.mutex);
        q.ended = true;
      }
      q.changed.notify_one();
    }
    for (auto& each : threads_) each.join();
  }

  struct port_type {
    mutex_queue& of;
    void send(std::size_t topic, const T& value) {
      for (std::size_t i = 0; i < of.subscribers_; ++i) push(of.queues_[topic * of.subscribers_ + i], value);
    }
    static void push(auto& q, const T& value) {
      bool first;
      {
        std::lock_guard lock(q.mutex);
        first = q.waiting.empty();
        q.waiting.push_back(value);
      }
      if (first) q.changed.notify_one();
    }
  };
  port_type port(std::size_t) { return {*this}; }

 private:
  struct queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<T> waiting;
    bool ended = false;
  };
  const std::size_t subscribers_;
  std::deque<queue> queues_;
  std::vector<std::thread> threads_;
};

/// A limit, not a peer: one boost::lockfree::spsc_queue for each receiver, all of them emptied by one thread that never
/// sleeps. One publisher.
template <class T, bool InBatches, class Receiver = receiver>
class spsc {
 public:
  static constexpr std::size_t events = 2'000'000;

  spsc(const wiring& w, receivers<Receiver>& to) : subscribers_(w.subscribers) {
    for (std::size_t i = 0; i < to.each.size(); ++i) queues_.push_back(std::make_unique<queue>());
    thread_ = std::thread([this, &to] {
      while (!ended_.load(std::memory_order_relaxed)) {
        std::size_t taken = 0;
        for (std::size_t i = 0; i < queues_.size(); ++i) {
          auto take = [&](const T& v) { to.each[i].take(v); };
          taken += InBatches ? queues_[i]->consume_all(take) : queues_[i]->consume_one(take) ? 1 : 0;
        }
        if (taken == 0) pause();
      }
    });
  }
  ~spsc() {
    ended_ = true;
    thread_.join();
  }

  struct port_type {
    spsc& of;
    void send(std::size_t topic, const T& value) {
      for (std::size_t i = 0; i < of.subscribers_; ++i) {
        auto& q = *of.queues_[topic * of.subscribers_ + i];
        while (!q.push(value)) pause();
      }
    }
  };
  port_type port(std::size_t) { return {*this}; }

 private:
  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  using queue = boost::lockfree::spsc_queue<T, boost::lockfree::capacity<1024>>;
  const std::size_t subscribers_;
  std::vector<std::unique_ptr<queue>> queues_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace actorbus::bench
