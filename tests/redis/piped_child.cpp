#include "tests/redis/piped_child.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "tests/redis/no_broken_pipe.hpp"

namespace actorbus::testing {

void piped_child::say(const std::string& line) {
  const no_broken_pipe guard;
  const std::string text = line + '\n';
  for (std::size_t sent = 0; sent < text.size();) {
    const auto now = write(child_.input(), text.data() + sent, text.size() - sent);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) throw std::runtime_error("the child process no longer reads");
    sent += static_cast<std::size_t>(now);
  }
}

std::optional<std::string> piped_child::hear(std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    if (const auto end = heard_.find('\n'); end != std::string::npos) {
      std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    if (!read_more(deadline)) return std::nullopt;
  }
}

std::pair<std::string, int> piped_child::finish(std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  child_.close_input();
  while (read_more(deadline)) {
  }
  const auto status = child_.wait_for(within);
  if (!status) throw std::runtime_error("the child process does not end");
  if (!WIFEXITED(*status)) throw std::runtime_error("the child process was killed");
  return {std::exchange(heard_, {}), WEXITSTATUS(*status)};
}

/// False at the end of its output, and at the deadline.
bool piped_child::read_more(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd readable{child_.output(), POLLIN, 0};
  if (left.count() < 0 || poll(&readable, 1, static_cast<int>(left.count())) <= 0) return false;
  char buffer[64 * 1024];
  const auto got = read(child_.output(), buffer, sizeof buffer);
  if (got > 0) heard_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

}  // namespace actorbus::testing
