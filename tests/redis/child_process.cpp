#include "tests/redis/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <queue>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

namespace actorbus::testing {

namespace {

/// The one thread that forks: the kernel counts the thread that forked as the child's parent, and kills the child when
/// that thread ends. This one ends with the process.
class spawner {
 public:
  ~spawner() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  pid_t run(std::packaged_task<pid_t()> task) {
    auto result = task.get_future();
    {
      std::lock_guard lock(mutex_);
      tasks_.push(std::move(task));
      changed_.notify_all();
    }
    return result.get();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
      if (ended_) return;
      auto task = std::move(tasks_.front());
      tasks_.pop();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::packaged_task<pid_t()>> tasks_;
  bool ended_ = false;
  std::thread thread_{[this] { work(); }};
};

spawner& the_spawner() {
  static spawner one;
  return one;
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// What happens between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* command, int in, int out, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before that
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  syscall(SYS_close_range, 3u, ~0u, 0u);
  execv(command[0], command);
  _exit(127);
}

using pipe_ends = std::array<int, 2>;

pipe_ends open_pipe() {
  pipe_ends ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  return ends;
}

int open_nothing(int flags) {
  const int fd = open("/dev/null", flags | O_CLOEXEC);
  if (fd < 0) fail("/dev/null");
  return fd;
}

}  // namespace

child_process::child_process(const std::vector<std::string>& command, child_io io) {
  const bool piped = io == child_io::pipes;
  pipe_ends in = piped ? open_pipe() : pipe_ends{open_nothing(O_RDONLY), -1};
  pipe_ends out = piped ? open_pipe() : pipe_ends{-1, open_nothing(O_WRONLY)};
  std::vector<char*> words;
  for (const auto& each : command) words.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = the_spawner().run(std::packaged_task<pid_t()>([&] {
    const pid_t child = fork();
    if (child == 0) become(words.data(), in[0], out[1], parent);
    return child;
  }));
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  output_ = out[0];
  if (pid_ < 0) {
    close_pipes();
    fail("fork");
  }
  ended_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (ended_ < 0) {
    kill();
    fail("pidfd_open");
  }
}

child_process::child_process(child_process&& other) noexcept { *this = std::move(other); }

child_process& child_process::operator=(child_process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(ended_, other.ended_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  return *this;
}

child_process::~child_process() { kill(); }

void child_process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> child_process::wait_for(std::chrono::milliseconds patience) {
  if (pid_ <= 0) return std::nullopt;
  pollfd end{ended_, POLLIN, 0};
  if (poll(&end, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  close(std::exchange(ended_, -1));
  return status;
}

void child_process::kill() noexcept {
  close_pipes();
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (ended_ >= 0) close(std::exchange(ended_, -1));
}

void child_process::close_input() noexcept {
  if (input_ >= 0) close(std::exchange(input_, -1));
}

void child_process::close_pipes() noexcept {
  close_input();
  if (output_ >= 0) close(std::exchange(output_, -1));
}

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "");
  for (std::string each; std::getline(directories, each, ':');) {
    std::string candidate = each + '/' + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

}  // namespace actorbus::testing
