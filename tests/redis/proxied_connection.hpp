// A connection of a client through the proxy: its two sockets, and what has been read and not yet forwarded.
//
// Threads: the proxy's own. Ownership: the destructor resets both sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>

#include "tests/redis/reply_boundary.hpp"

namespace actorbus::testing {

enum class forwarding { requests, replies };

class proxied_connection {
 public:
  using moment = std::chrono::steady_clock::time_point;

  proxied_connection(int client, int server) : client_(client), server_(server) {}
  proxied_connection(const proxied_connection&) = delete;
  proxied_connection& operator=(const proxied_connection&) = delete;
  ~proxied_connection() { reset(); }

  /// Both sides are told that the other has failed.
  void reset() noexcept;
  /// The client reads its end of file behind what it was sent; what it still sends is thrown away.
  void end() noexcept;

  /// Reads what is there into the queue, as long as that is short. Returns what was added.
  std::string read(forwarding which);
  void queue(forwarding which, std::string bytes, moment due);
  /// Writes what is due, at most `most` bytes of it. Returns how many were written.
  std::size_t write(forwarding which, moment now, std::size_t most);
  /// A side has closed, and all before that has been written: tells the other.
  void pass_on_ends() noexcept;

  int client() const noexcept { return client_; }
  int server() const noexcept { return server_; }
  bool gone() const noexcept { return client_ < 0; }
  bool ended() const noexcept { return server_ < 0; }

  /// Whether there is room to read, and whether something waits to be written.
  bool reads(forwarding which) const noexcept;
  bool writes(forwarding which, moment now) const noexcept;
  /// When the first of the queue is due; the far future if it is empty.
  moment due(forwarding which) const noexcept;

  /// Takes replies as they were read. The first place among them where none is under way; npos: there is none.
  std::size_t find_boundary(const std::string& replies) { return boundary_.take(replies); }

  /// The first 64 KiB of its requests.
  const std::string& first_requests() const noexcept { return first_requests_; }

 private:
  struct chunk {
    moment due;
    std::string bytes;
    std::size_t written;
  };
  struct lane {
    std::deque<chunk> queue;
    std::size_t waiting = 0;  // bytes
    bool at_end = false;      // its source has closed
    bool told = false;        // and the other side knows
  };
  lane& of(forwarding which) noexcept { return lanes_[which == forwarding::replies]; }
  const lane& of(forwarding which) const noexcept { return lanes_[which == forwarding::replies]; }
  int source(forwarding which) const noexcept { return which == forwarding::requests ? client_ : server_; }
  int target(forwarding which) const noexcept { return which == forwarding::requests ? server_ : client_; }

  int client_;
  int server_;
  lane lanes_[2];
  std::string first_requests_;
  reply_boundary boundary_;
};

}  // namespace actorbus::testing
