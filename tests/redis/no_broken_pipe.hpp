// As long as it lives, a write of this thread to a connection or pipe that has ended is an error, not the end of the
// process: hiredis 0.14 does not ask the kernel for that.
//
// Only this thread's writes: a product that forgets about the signal is to be found out.
#pragma once

#include <signal.h>
#include <time.h>

namespace actorbus::testing {

class no_broken_pipe {
 public:
  no_broken_pipe() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  no_broken_pipe(const no_broken_pipe&) = delete;
  no_broken_pipe& operator=(const no_broken_pipe&) = delete;
  ~no_broken_pipe() {
    const timespec at_once{0, 0};
    if (!sigismember(&before_, SIGPIPE)) sigtimedwait(&signals_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t signals_{}, before_{};
};

}  // namespace actorbus::testing
