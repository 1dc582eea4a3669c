// Where a subscription puts the events its handler could not handle.
#pragma once

#include <cstddef>
#include <string>
#include <system_error>

#include <bus/event.hpp>

namespace actorbus {

/// Headers of a dead letter, beside those the event had.
namespace dead_letter {
inline constexpr const char* topic = "dead_letter.topic";        ///< the topic it was published on
inline constexpr const char* sequence = "dead_letter.sequence";  ///< its sequence there
inline constexpr const char* attempts = "dead_letter.attempts";  ///< calls of the handler
inline constexpr const char* error = "dead_letter.error";        ///< what the last exception said
}  // namespace dead_letter

namespace core {

class dead_letter_box {
 public:
  virtual ~dead_letter_box() = default;

  /// Publishes a copy (of a move-only payload, a reference) without waiting. An error: it was not placed.
  virtual std::error_code put(const entry_view& what, std::size_t attempts, const std::string& error) = 0;
};

}  // namespace core
}  // namespace actorbus
