// NATS, publisher to subscriber, by its own client: what else one would take to bring messages to other processes.
//
// The server keeps nothing, and the subscription has no limit at which it would drop.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "redis_peers.hpp"
#include "tests/redis/child_process.hpp"
#include "tests/redis/reserved_port.hpp"

namespace actorbus::bench {

template <class Receiver>
class nats {
 public:
  static bool is_available() { return !testing::find_program("nats-server").empty(); }

  nats(link, Receiver& to) : out_(connect()), in_(connect()), to_(to) {
    const auto take = [](natsConnection*, natsSubscription*, natsMsg* message, void* self) {
      static_cast<nats*>(self)->to_.take(read_message(natsMsg_GetData(message)));
      natsMsg_Destroy(message);
    };
    require(natsConnection_Subscribe(&subscription_, in_, "bench", take, this));
    require(natsSubscription_SetPendingLimits(subscription_, -1, -1));
    require(natsConnection_Flush(in_));
  }
  nats(const nats&) = delete;
  nats& operator=(const nats&) = delete;
  ~nats() {
    natsConnection_Close(in_);
    natsSubscription_Destroy(subscription_);
    for (auto* each : {in_, out_}) natsConnection_Destroy(each);
  }

  void send(const std::string& message) {
    require(natsConnection_Publish(out_, "bench", message.data(), static_cast<int>(message.size())));
  }
  void flush() { require(natsConnection_Flush(out_)); }
  void clear() {}

 private:
  static void require(natsStatus status) {
    if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
  }
  natsConnection* connect() {
    const std::string url = "nats://127.0.0.1:" + std::to_string(port_.number());
    natsConnection* result = nullptr;
    const auto deadline = clock::now() + std::chrono::seconds{10};
    while (natsConnection_ConnectTo(&result, url.c_str()) != NATS_OK) {
      if (clock::now() > deadline) throw std::runtime_error("no connection to nats-server");
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return result;
  }

  const testing::reserved_port port_;
  testing::child_process server_{
      {testing::find_program("nats-server"), "-a", "127.0.0.1", "-p", std::to_string(port_.number())}};
  natsConnection *out_, *in_;
  natsSubscription* subscription_ = nullptr;
  Receiver& to_;
};

}  // namespace actorbus::bench
