#include "tests/redis/proxied_connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace actorbus::testing {

namespace {

constexpr std::size_t most_waiting = 1 << 20;
constexpr std::size_t most_remembered = 64 * 1024;

void close_with_reset(int fd) noexcept {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

}  // namespace

void proxied_connection::reset() noexcept {
  if (client_ >= 0) close_with_reset(std::exchange(client_, -1));
  if (server_ >= 0) close_with_reset(std::exchange(server_, -1));
}

void proxied_connection::end() noexcept {
  shutdown(client_, SHUT_WR);
  if (server_ >= 0) close_with_reset(std::exchange(server_, -1));
  for (lane& each : lanes_) each = {};
}

std::string proxied_connection::read(forwarding which) {
  std::string result;
  char buffer[64 * 1024];
  while (of(which).waiting + result.size() < most_waiting) {
    const auto got = recv(source(which), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      result.append(buffer, static_cast<std::size_t>(got));
      continue;
    }
    if (got == 0) of(which).at_end = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) reset();
    break;
  }
  if (ended() && of(which).at_end) reset();  // the client has understood
  if (which == forwarding::requests && first_requests_.size() < most_remembered) {
    first_requests_ += result.substr(0, most_remembered - first_requests_.size());
  }
  return ended() ? std::string() : result;
}

void proxied_connection::queue(forwarding which, std::string bytes, moment due) {
  if (bytes.empty()) return;
  of(which).waiting += bytes.size();
  of(which).queue.push_back({due, std::move(bytes), 0});
}

std::size_t proxied_connection::write(forwarding which, moment now, std::size_t most) {
  std::size_t total = 0;
  lane& from = of(which);
  while (!gone() && total < most && writes(which, now)) {
    chunk& first = from.queue.front();
    const std::size_t size = std::min(first.bytes.size() - first.written, most - total);
    const auto sent = send(target(which), first.bytes.data() + first.written, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) reset();
      break;
    }
    total += static_cast<std::size_t>(sent);
    first.written += static_cast<std::size_t>(sent);
    from.waiting -= static_cast<std::size_t>(sent);
    if (first.written == first.bytes.size()) from.queue.pop_front();
  }
  return total;
}

void proxied_connection::pass_on_ends() noexcept {
  if (gone() || ended()) return;
  lane& replies = of(forwarding::replies);
  if (replies.at_end && replies.queue.empty()) return end();
  lane& requests = of(forwarding::requests);
  if (!requests.at_end || !requests.queue.empty() || requests.told) return;
  requests.told = true;
  shutdown(server_, SHUT_WR);
}

bool proxied_connection::reads(forwarding which) const noexcept {
  return source(which) >= 0 && !of(which).at_end && of(which).waiting < most_waiting;
}

bool proxied_connection::writes(forwarding which, moment now) const noexcept {
  return target(which) >= 0 && due(which) <= now;
}

proxied_connection::moment proxied_connection::due(forwarding which) const noexcept {
  return of(which).queue.empty() ? moment::max() : of(which).queue.front().due;
}

}  // namespace actorbus::testing
