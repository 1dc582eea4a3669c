// A TCP port of 127.0.0.1 that is this test's until it is destroyed, also while nobody listens on it.
//
// Tests kill servers and start them again on the same port, beside other tests that look for a free one. So a port is
// reserved among test processes by a name in the abstract socket space, which the kernel frees with its holder. Ports
// from the range for outgoing connections are left alone: a client that keeps connecting to a dead server's port in
// that range would in the end be given it as its own, and be connected to itself.
#pragma once

#include <cstdint>
#include <utility>

namespace actorbus::testing {

class reserved_port {
 public:
  /// Throws std::runtime_error if no port is free.
  reserved_port();
  reserved_port(reserved_port&& other) noexcept : number_(other.number_), holder_(std::exchange(other.holder_, -1)) {}
  reserved_port& operator=(reserved_port&&) = delete;
  ~reserved_port();

  std::uint16_t number() const noexcept { return number_; }

 private:
  std::uint16_t number_ = 0;
  int holder_ = -1;
};

}  // namespace actorbus::testing
