// A function run in a process of its own, for samples that show several. Make them before any thread: they fork.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>

class process {
 public:
  /// Says that the process is ready, to whoever waits for that.
  using ready = std::function<void()>;

  explicit process(void (*play)(const ready&)) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ != 0) {
      close(ends[1]);
      ready_ = ends[0];
      return;
    }
    close(ends[0]);
    play([end = ends[1]] { (void)!write(end, "", 1); });
    std::cout.flush();
    _exit(0);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() {
    wait();
    close(ready_);
  }

  /// Until it says so.
  void wait_until_ready() const {
    char any;
    if (read(ready_, &any, 1) != 1) throw std::runtime_error("the other process ended");
  }
  /// Until it has ended.
  void wait() {
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// Without a warning.
  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_ = -1;
  int ready_ = -1;
};

/// Where the samples' redis-server is: what REDIS_URI says, or the usual place.
inline std::string redis_uri() {
  const char* uri = std::getenv("REDIS_URI");
  return uri != nullptr ? uri : "redis://127.0.0.1:6379";
}
