// Keeps CAF from tying the calling thread to an actor system.
//
// Whatever makes a system or spawns an actor leaves a reference to the system's logger on its thread, and the system's
// destructor waits until that thread ends or turns to another system. Publishing spawns actors, on threads that know
// nothing of CAF.
#pragma once

namespace actorbus::actors {

/// For the time of a call into CAF. Threads: its own.
class thread_logger_guard {
 public:
  thread_logger_guard();
  ~thread_logger_guard();  // a thread that got another logger meanwhile has none afterwards
  thread_logger_guard(const thread_logger_guard&) = delete;
  thread_logger_guard& operator=(const thread_logger_guard&) = delete;

 private:
  const void* const before_;  // only ever compared
};

}  // namespace actorbus::actors
