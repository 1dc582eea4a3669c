// The bus under test. A subject has a constructor that wires receivers up, and `port(publisher)`, whose `send(topic,
// value)` publishes; the peers have the same.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bus/bus.hpp>

#include "receiver.hpp"

namespace actorbus::bench {

/// How the bus is used.
struct usage {
  actorbus::run_on run_on = actorbus::run_on::pool;
  actorbus::overflow overflow = actorbus::overflow::block;
  bool inbox = false;       ///< a thread that waits on an inbox instead of a handler
  bool by_topic = false;    ///< topic<T>::publish instead of publisher<T>::publish
  std::size_t history = 0;  ///< kept by each topic
  bool headers = false;     ///< one on each event
  bool filter = false;      ///< a `where` that keeps everything
  bool pattern = false;     ///< subscribed by a pattern that matches
  std::size_t idle_topics = 0;
  std::size_t idle_patterns = 0;  ///< that do not match
  bus_options bus = {};
};

template <class T, class Receiver = receiver>
class ours {
 public:
  static constexpr std::size_t events = 1'000'000;  ///< a round

  ours(const wiring& w, receivers<Receiver>& to, usage how = {}) : how_(std::move(how)), bus_(how_.bus) {
    for (std::size_t i = 0; i < how_.idle_topics; ++i) idle_.push_back(bus_.topic<T>("idle." + std::to_string(i)));
    for (std::size_t i = 0; i < how_.idle_patterns; ++i) {
      quiet_.push_back(bus_.subscribe<T>("quiet." + std::to_string(i) + ".*", [](const T&) {}));
    }
    for (std::size_t t = 0; t < w.topics; ++t) {
      topics_.push_back(bus_.topic<T>("bench." + std::to_string(t), {.history = how_.history}));
    }
    for (std::size_t i = 0; i < w.topics * w.subscribers; ++i) subscribe(topics_[i / w.subscribers], to.each[i]);
  }

  ~ours() {
    for (auto& each : topics_) each.finish();
    for (auto& each : readers_) each.join();
  }

  class port_type {
   public:
    port_type(ours& of) : of_(of) {
      if (of.how_.by_topic) return;
      for (auto& each : of.topics_) publishers_.push_back(each.publisher());
    }
    void send(std::size_t topic, const T& value) {
      if (publishers_.empty()) {
        of_.topics_[topic].publish(value);
      } else if (of_.how_.headers) {
        publishers_[topic].publish(value, {{"source", "bench"}});
      } else {
        publishers_[topic].publish(value);
      }
    }
    void send(std::size_t topic, T&& value) {
      if (publishers_.empty()) {
        of_.topics_[topic].publish(std::move(value));
      } else {
        publishers_[topic].publish(std::move(value));
      }
    }

   private:
    ours& of_;
    std::vector<actorbus::publisher<T>> publishers_;
  };
  port_type port(std::size_t) { return port_type(*this); }
  actorbus::bus& bus() { return bus_; }

 private:
  void subscribe(actorbus::topic<T>& on, Receiver& to) {
    if (how_.inbox) {
      readers_.emplace_back([in = on.inbox({.overflow = how_.overflow}), &to]() mutable {
        for (const auto& e : in) to.take(*e);
      });
      return;
    }
    subscribe_options options{.overflow = how_.overflow, .run_on = how_.run_on};
    if (how_.filter) options.where = [](const metadata& m) { return m.sequence != 0; };
    auto handler = [&to](const T& value) { to.take(value); };
    subscribed_.push_back(how_.pattern ? bus_.subscribe<T>("bench.*", handler, std::move(options))
                                       : on.subscribe(handler, std::move(options)));
  }

  const usage how_;
  actorbus::bus bus_;
  std::vector<actorbus::topic<T>> idle_;
  std::vector<subscription> quiet_;
  std::vector<actorbus::topic<T>> topics_;
  std::vector<subscription> subscribed_;
  std::vector<std::thread> readers_;
};

}  // namespace actorbus::bench
