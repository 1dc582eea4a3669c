// A program that a test runs beside itself. It does not outlive the test's process, however that ends.
//
// Threads: one at a time for each object; the child may be started by a thread that ends before it.
// Ownership: the destructor kills and reaps it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace actorbus::testing {

/// What a child's standard input and output are.
enum class child_io {
  none,   ///< nothing to read, and what it prints goes nowhere
  pipes,  ///< both are pipes to this process; its standard error is this process's
};

class child_process {
 public:
  /// Starts nothing.
  child_process() = default;
  /// Starts `command[0]`, a path, with the arguments behind it. Throws std::system_error.
  explicit child_process(const std::vector<std::string>& command, child_io io = child_io::none);
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  ~child_process();

  /// -1: never started, or reaped.
  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  /// Waits until it ends, and reaps it. Its status as of waitpid; empty: it has not ended within that time.
  std::optional<int> wait_for(std::chrono::milliseconds patience);
  /// SIGKILL, and reaps it. Does nothing if there is no child.
  void kill() noexcept;

  /// The pipes, -1 if there are none.
  int input() const noexcept { return input_; }
  int output() const noexcept { return output_; }
  /// The child reads its end of file.
  void close_input() noexcept;

 private:
  void close_pipes() noexcept;

  pid_t pid_ = -1;
  int ended_ = -1;  // a pidfd: readable once the child has ended
  int input_ = -1;
  int output_ = -1;
};

/// The path of a program, by the directories of PATH; empty if it is in none.
std::string find_program(const std::string& name);

}  // namespace actorbus::testing
