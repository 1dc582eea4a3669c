// The bridge under test, between two buses, as the peers of redis_peers.hpp are used.
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "redis_peers.hpp"

namespace actorbus::bench {

inline redis::bridge_options bridged_by(link over) {
  return {.uri = over == link::tcp ? server().uri() : server().unix_uri()};
}

inline void expect_ready(redis::bridge& each) {
  if (!each.wait_ready(std::chrono::seconds{20})) throw std::runtime_error("the bridge is not ready");
}

/// One topic by publish and subscribe, nothing lost: the publisher waits for its bridge, and what the receiver's topic
/// cannot take waits in the other bridge.
template <class Receiver>
class bridged_pubsub {
 public:
  bridged_pubsub(link over, Receiver& to, redis::format as = redis::format::native)
      : in_(receiving_, bridged_by(over)), out_(publishing_, bridged_by(over)) {
    received_ = receiving_.topic<std::string>("bench").subscribe(
        [&to](const std::string& message) { to.take(read_message(message.data())); });
    in_.pubsub<std::string>("bench", {.direction = redis::direction::in, .format = as, .capacity = 1 << 22});
    out_.pubsub<std::string>("bench", {.direction = redis::direction::out, .format = as, .overflow = overflow::block});
    expect_ready(in_);
    expect_ready(out_);
  }

  void send(const std::string& message) { publisher_.publish(message); }
  void flush() {}
  void clear() {}

 private:
  bus receiving_, publishing_;
  redis::bridge in_, out_;
  actorbus::publisher<std::string> publisher_ = publishing_.topic<std::string>("bench").publisher();
  subscription received_;
};

template <class Receiver>
class packed_pubsub : public bridged_pubsub<Receiver> {
 public:
  packed_pubsub(link over, Receiver& to) : bridged_pubsub<Receiver>(over, to, redis::format::packed) {}
};

/// One topic by a stream, nothing lost.
template <class Receiver>
class bridged_stream {
 public:
  bridged_stream(link over, Receiver& to, redis::format as = redis::format::native)
      : in_(receiving_, bridged_by(over)), out_(publishing_, bridged_by(over)), trimmer_(over) {
    trimmer_.run({"DEL", "bench"});
    received_ = receiving_.topic<std::string>("bench").subscribe(
        [&to](const std::string& message) { to.take(read_message(message.data())); });
    in_.stream<std::string>("bench", {.direction = redis::direction::in, .format = as});
    out_.stream<std::string>("bench", {.direction = redis::direction::out, .format = as, .overflow = overflow::block});
    expect_ready(in_);
    expect_ready(out_);
  }

  void send(const std::string& message) { publisher_.publish(message); }
  void flush() {}
  void clear() { trimmer_.run({"XTRIM", "bench", "MAXLEN", "0"}); }

 private:
  bus receiving_, publishing_;
  redis::bridge in_, out_;
  connection trimmer_;
  actorbus::publisher<std::string> publisher_ = publishing_.topic<std::string>("bench").publisher();
  subscription received_;
};

template <class Receiver>
class packed_stream : public bridged_stream<Receiver> {
 public:
  packed_stream(link over, Receiver& to) : bridged_stream<Receiver>(over, to, redis::format::packed) {}
};

/// A stream's publisher alone.
class outgoing_stream {
 public:
  outgoing_stream(link over, redis::stream_options how) : bridge_(bus_, bridged_by(over)) {
    how.direction = redis::direction::out;
    how.overflow = overflow::block;
    bridge_.stream<std::string>("bench", how);
    expect_ready(bridge_);
  }

  void send(const std::string& message) { publisher_.publish(message); }
  void flush() {
    if (!bridge_.flush(std::chrono::seconds{60})) throw std::runtime_error("the bridge does not come to its end");
  }

 private:
  bus bus_;
  redis::bridge bridge_;
  actorbus::publisher<std::string> publisher_ = bus_.topic<std::string>("bench").publisher();
};

/// A stream's reader alone, which begins when it is told to.
template <class Receiver>
class incoming_stream {
 public:
  incoming_stream(link over, Receiver& to) : bridge_(bus_, bridged_by(over)) {
    received_ = bus_.topic<std::string>("bench").subscribe(
        [&to](const std::string& message) { to.take(read_message(message.data())); });
    expect_ready(bridge_);
  }

  void read_all() { bridge_.stream<std::string>("bench", {.from = replay::all(), .direction = redis::direction::in}); }

 private:
  bus bus_;
  redis::bridge bridge_;
  subscription received_;
};

/// A consumer of the group `group`, which begins when it is told to.
template <class Receiver>
class group_consumer {
 public:
  group_consumer(link over, Receiver& to, std::size_t max_in_flight)
      : bridge_(bus_, bridged_by(over)), to_(to), max_in_flight_(max_in_flight) {
    expect_ready(bridge_);
  }

  void begin() {
    work_ = bridge_.consume<std::string>(
        "bench", [&to = to_](const std::string& message) { to.take(read_message(message.data())); },
        {.group = "group", .max_in_flight = max_in_flight_});
  }
  /// Until everything is acknowledged.
  void end() {
    if (!work_.stop(std::chrono::seconds{60})) throw std::runtime_error("the consumer does not come to its end");
  }

 private:
  bus bus_;
  redis::bridge bridge_;
  Receiver& to_;
  const std::size_t max_in_flight_;
  redis::consumer work_;
};

/// What a topic's publisher has beside it. An inbox is emptied by a thread that sleeps on its descriptor, as a bridge's
/// loop does: what a subscriber costs who is no worker of the bus.
enum class beside { nothing, a_subscriber, an_inbox, bridge_up, bridge_up_unix, stream_up, bridge_down };

/// A topic that may be bridged, for its publisher's side alone.
class published_topic {
 public:
  explicit published_topic(beside what) {
    if (what == beside::nothing) return;
    if (what == beside::a_subscriber) {
      received_ =
          bus_.topic<std::string>("bench").subscribe([](const std::string&) {}, {.overflow = overflow::drop_oldest});
      return;
    }
    if (what == beside::an_inbox) {
      reader_ = std::thread([from = bus_.topic<std::string>("bench").inbox()]() mutable { read(from); });
      return;
    }
    auto with = bridged_by(what == beside::bridge_up_unix ? link::unix_socket : link::tcp);
    if (what == beside::bridge_down) with.uri = "unix:///nonexistent/redis.sock";
    auto& bridge = bridge_.emplace(bus_, with);
    if (what == beside::stream_up) {
      bridge.stream<std::string>("bench", {.maxlen = 10'000, .direction = redis::direction::out});
    } else {
      bridge.pubsub<std::string>("bench", {.direction = redis::direction::out});
    }
    if (what != beside::bridge_down) expect_ready(bridge);
  }

  ~published_topic() {
    if (!reader_.joinable()) return;
    bus_.close(std::chrono::seconds{5});
    reader_.join();
  }

  void send(const std::string& message) { publisher_.publish(message); }

 private:
  static void read(inbox<std::string>& from) {
    ::pollfd readable{from.readable_fd(), POLLIN, 0};
    while (!from.closed()) {
      ::poll(&readable, 1, -1);
      from.poll([](const std::string&) {});
    }
  }

  bus bus_;
  std::optional<redis::bridge> bridge_;
  subscription received_;
  std::thread reader_;
  actorbus::publisher<std::string> publisher_ = bus_.topic<std::string>("bench").publisher();
};

}  // namespace actorbus::bench
