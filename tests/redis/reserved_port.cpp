#include "tests/redis/reserved_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>

namespace actorbus::testing {

namespace {

/// A socket bound to the name, or -1 if another holds it.
int hold(std::uint16_t port) {
  const std::string name = "actorbus-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);  // behind a zero: the abstract space
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (holder >= 0 && bind(holder, reinterpret_cast<const sockaddr*>(&address), length) == 0) return holder;
  if (holder >= 0) close(holder);
  return -1;
}

bool nobody_listens_on(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool free = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return free;
}

/// The lowest port that outgoing connections are given.
int first_outgoing_port() {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  int first = 32768;
  range >> first;
  return first;
}

}  // namespace

reserved_port::reserved_port() {
  constexpr int lowest = 12'000;
  const int outgoing = first_outgoing_port();
  const int end = outgoing >= lowest + 1000 ? outgoing : 65'000;
  std::uniform_int_distribution<int> any(lowest, end - 1);
  std::random_device random;
  for (int tries = 0; tries < 1000; ++tries) {
    number_ = static_cast<std::uint16_t>(any(random));
    holder_ = hold(number_);
    if (holder_ >= 0 && nobody_listens_on(number_)) return;
    if (holder_ >= 0) close(std::exchange(holder_, -1));
  }
  throw std::runtime_error("no free port was found between " + std::to_string(lowest) + " and " + std::to_string(end));
}

reserved_port::~reserved_port() {
  if (holder_ >= 0) close(holder_);
}

}  // namespace actorbus::testing
