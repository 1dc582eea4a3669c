#include "tests/redis/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
constexpr forwarding both[] = {forwarding::requests, forwarding::replies};

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_at_once(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

proxy::proxy(const redis_server& to) : proxy(to.port()) {}

proxy::proxy(std::uint16_t to) : to_(to), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (bell_ < 0) fail("eventfd");
  listen();
  thread_ = std::thread([this] { run(); });
}

proxy::~proxy() {
  command([this] { ended_ = true; });
  thread_.join();
  close_listener();
  close(bell_);
}

void proxy::only_where(std::string request_contains) {
  command([&] { only_where_ = std::move(request_contains); });
}

void proxy::stall(forwarding which) {
  command([&] { stalled_[which == forwarding::replies] = true; });
}

void proxy::stall() {
  command([&] { stalled_[0] = stalled_[1] = true; });
}

void proxy::resume() {
  command([&] { stalled_[0] = stalled_[1] = false; });
}

void proxy::cut() {
  command([&] {
    for (auto& each : all_) {
      if (concerns(each)) each.reset();
    }
    forget_the_gone();
  });
}

void proxy::cut_after(std::uint64_t bytes) {
  command([&] { cut_after_ = bytes; });
}

void proxy::replace_next_reply(std::string bytes) {
  command([&] { replacement_ = std::move(bytes); });
}

void proxy::delay(std::chrono::milliseconds by) {
  command([&] { delay_ = by; });
}

void proxy::refuse_connections() {
  command([&] { close_listener(); });
}

void proxy::accept_connections() {
  command([&] {
    if (listener_ < 0) listen();
  });
}

/// Runs it between two rounds of the thread. What it throws is thrown here.
void proxy::command(std::function<void()> what) {
  std::promise<void> done;
  {
    std::lock_guard lock(mutex_);
    commands_.push_back([&] {
      try {
        what();
        done.set_value();
      } catch (...) {
        done.set_exception(std::current_exception());
      }
    });
  }
  eventfd_write(bell_, 1);
  done.get_future().get();
}

std::uint64_t proxy::count(const std::uint64_t& of) {
  std::uint64_t result = 0;
  command([&] { result = of; });
  return result;
}

void proxy::run_commands() {
  eventfd_t rings;
  eventfd_read(bell_, &rings);
  std::deque<std::function<void()>> now;
  {
    std::lock_guard lock(mutex_);
    now.swap(commands_);
  }
  for (const auto& each : now) each();
}

void proxy::run() {
  while (!ended_) {
    wait();
    run_commands();
    take_connections();
    for (auto& each : all_) forward(each);
    forget_the_gone();
  }
  all_.clear();
}

void proxy::forget_the_gone() {
  all_.remove_if([](const auto& each) { return each.gone(); });
  const auto open = std::count_if(all_.begin(), all_.end(), [](const auto& each) { return !each.ended(); });
  open_ = static_cast<std::uint64_t>(open);
}

/// Until there is something to read or to write, a delay has passed, or a command has come.
void proxy::wait() {
  const auto now = std::chrono::steady_clock::now();
  auto first = moment::max();
  std::vector<pollfd> fds{{bell_, POLLIN, 0}, {listener_, POLLIN, 0}};
  for (const auto& each : all_) {
    short events[2] = {0, 0};  // of the client, of the server
    for (const forwarding which : both) {
      if (stalled_[which == forwarding::replies]) continue;
      const bool replies = which == forwarding::replies;
      if (each.reads(which)) events[replies] = static_cast<short>(events[replies] | POLLIN);
      if (each.writes(which, now)) {
        events[!replies] = static_cast<short>(events[!replies] | POLLOUT);
      } else {
        first = std::min(first, each.due(which));
      }
    }
    // One that is not watched may have closed: that is for later.
    fds.push_back({events[0] != 0 ? each.client() : -1, events[0], 0});
    fds.push_back({events[1] != 0 ? each.server() : -1, events[1], 0});
  }
  int patience = -1;
  if (first != moment::max()) {
    patience = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(first - now).count());
  }
  poll(fds.data(), fds.size(), patience);
}

void proxy::listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) fail("socket");
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = local(port());
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(listener_, SOMAXCONN) != 0) fail("listen");
}

void proxy::close_listener() {
  if (listener_ >= 0) close(std::exchange(listener_, -1));
}

void proxy::take_connections() {
  while (listener_ >= 0) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    connect(client);
  }
}

/// A server that is down is a client that is reset.
void proxy::connect(int client) {
  ++connections_;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  send_at_once(client);
  send_at_once(server);
  auto& fresh = all_.emplace_back(client, server);
  const sockaddr_in address = local(to_);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fresh.reset();
}

void proxy::forward(proxied_connection& on) {
  for (const forwarding which : both) {
    if (on.gone() || stalled_[which == forwarding::replies]) continue;
    if (on.reads(which)) read(on, which);
    if (on.gone()) return;
    write(on, which);
  }
  // An end is forwarded as bytes are: not while they are held.
  if (!stalled_[0] && !stalled_[1]) on.pass_on_ends();
}

void proxy::read(proxied_connection& on, forwarding which) {
  std::string bytes = on.read(which);
  if (which == forwarding::replies) {
    const std::size_t at = on.find_boundary(bytes);
    if (replacement_ && at != bytes.npos && concerns(on)) {
      bytes.replace(at, bytes.npos, *replacement_);
      replacement_.reset();
    }
  }
  on.queue(which, std::move(bytes), std::chrono::steady_clock::now() + delay_);
}

void proxy::write(proxied_connection& on, forwarding which) {
  if (which == forwarding::replies) return write_replies(on);
  request_bytes_ += on.write(which, std::chrono::steady_clock::now(), no_limit);
}

void proxy::write_replies(proxied_connection& on) {
  const auto now = std::chrono::steady_clock::now();
  const bool counts = cut_after_ && concerns(on);
  const std::size_t written = on.write(forwarding::replies, now, counts ? *cut_after_ : no_limit);
  reply_bytes_ += written;
  if (!counts) return;
  *cut_after_ -= written;
  if (*cut_after_ != 0 || (written == 0 && !on.writes(forwarding::replies, now))) return;
  cut_after_.reset();
  if (!on.gone()) on.end();
}

bool proxy::concerns(const proxied_connection& on) const {
  return only_where_.empty() || on.first_requests().find(only_where_) != std::string::npos;
}

}  // namespace actorbus::testing
