#include "tests/redis/server_logs.hpp"

#include <cstddef>
#include <deque>
#include <mutex>

namespace actorbus::testing {

namespace {

constexpr std::size_t most_logs = 4;
constexpr std::size_t most_bytes = 16 * 1024;

std::mutex mutex;
std::deque<std::string> logs;

}  // namespace

void keep_server_log(const std::string& name, const std::string& text) {
  const bool cut = text.size() > most_bytes;
  std::lock_guard lock(mutex);
  if (logs.size() == most_logs) logs.pop_front();
  logs.push_back("the log of " + name + ":\n" + (cut ? "...\n" + text.substr(text.size() - most_bytes) : text));
}

std::vector<std::string> take_server_logs() {
  std::lock_guard lock(mutex);
  std::vector<std::string> result(logs.begin(), logs.end());
  logs.clear();
  return result;
}

}  // namespace actorbus::testing
