// ZeroMQ's PUB/SUB inside one process, without a high-water mark, which would drop; a thread for each receiver, as a
// socket belongs to one.
#pragma once

#include <zmq.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "receiver.hpp"

namespace actorbus::bench {

template <class T, class Receiver = receiver>
class zeromq {
 public:
  static constexpr std::size_t events = 300'000;

  zeromq(const wiring& w, receivers<Receiver>& to) : context_(zmq_ctx_new()) {
    for (std::size_t p = 0; p < w.publishers; ++p) {
      for (std::size_t t = 0; t < w.topics; ++t) {
        void* socket = publishers_.emplace_back(open(ZMQ_PUB));
        zmq_bind(socket, address(p, t).c_str());
      }
    }
    topics_ = w.topics;
    for (std::size_t i = 0; i < to.each.size(); ++i) {
      void* socket = open(ZMQ_SUB);
      zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
      for (std::size_t p = 0; p < w.publishers; ++p) zmq_connect(socket, address(p, i / w.subscribers).c_str());
      threads_.emplace_back([socket, &each = to.each[i]] {
        zmq_msg_t message;
        zmq_msg_init(&message);
        while (zmq_msg_recv(&message, socket, 0) > 0) each.take(value_in(message));
        zmq_msg_close(&message);
        zmq_close(socket);
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // a subscription takes its time to be known
  }
  ~zeromq() {
    for (void* each : publishers_) zmq_send(each, "", 0, 0);  // the end
    for (auto& each : threads_) each.join();
    for (void* each : publishers_) zmq_close(each);
    zmq_ctx_term(context_);
  }

  struct port_type {
    zeromq& of;
    std::size_t publisher;
    void send(std::size_t topic, const T& value) {
      void* socket = of.publishers_[publisher * of.topics_ + topic];
      if constexpr (std::is_same_v<T, std::string>) {
        zmq_send(socket, value.data(), value.size(), 0);
      } else {
        zmq_send(socket, &value, sizeof value, 0);
      }
    }
  };
  port_type port(std::size_t publisher) { return {*this, publisher}; }

 private:
  static std::string address(std::size_t publisher, std::size_t topic) {
    return "inproc://" + std::to_string(publisher) + "." + std::to_string(topic);
  }
  static T value_in(zmq_msg_t& message) {
    if constexpr (std::is_same_v<T, std::string>) {
      return {static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message)};
    } else {
      T value;
      std::memcpy(&value, zmq_msg_data(&message), sizeof value);
      return value;
    }
  }
  void* open(int type) {
    void* socket = zmq_socket(context_, type);
    const int unlimited = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    return socket;
  }

  void* context_;
  std::size_t topics_ = 1;
  std::vector<void*> publishers_;
  std::vector<std::thread> threads_;
};

}  // namespace actorbus::bench
