// A child process that is spoken to in lines.
//
// Threads: one at a time. Ownership: as child_process.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/redis/child_process.hpp"

namespace actorbus::testing {

class piped_child {
 public:
  explicit piped_child(const std::vector<std::string>& command) : child_(command, child_io::pipes) {}

  /// Writes a line. Throws std::runtime_error if the child no longer reads.
  void say(const std::string& line);
  /// The next line it prints, without its end; empty: none came in time, or it has ended.
  std::optional<std::string> hear(std::chrono::milliseconds within = std::chrono::seconds{20});
  /// Closes its input, and returns all it prints until it ends, and its exit status. Throws std::runtime_error if it
  /// does not end, or is killed by a signal.
  std::pair<std::string, int> finish(std::chrono::milliseconds within = std::chrono::seconds{20});

  child_process& process() noexcept { return child_; }

 private:
  bool read_more(std::chrono::steady_clock::time_point deadline);

  child_process child_;
  std::string heard_;
};

}  // namespace actorbus::testing
