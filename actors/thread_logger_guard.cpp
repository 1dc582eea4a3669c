#include <actors/thread_logger_guard.hpp>

#include <caf/logger.hpp>

namespace actorbus::actors {

thread_logger_guard::thread_logger_guard() : before_(caf::logger::current_logger()) {}

thread_logger_guard::~thread_logger_guard() {
  if (caf::logger::current_logger() != before_) caf::logger::set_current_actor_system(nullptr);
}

}  // namespace actorbus::actors
