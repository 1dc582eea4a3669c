// A logger whose lines a test reads, and that keeps expected failures off the terminal.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

namespace actorbus::testing {

/// Threads: the bus logs from any; read the text when it is quiet.
class recording_logger {
 public:
  std::string text() const { return text_.str(); }
  const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }

 private:
  std::ostringstream text_;
  const std::shared_ptr<spdlog::logger> logger_ =
      std::make_shared<spdlog::logger>("recording", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
};

}  // namespace actorbus::testing
