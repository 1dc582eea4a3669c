// What can go wrong: the error codes of the bus, and the exception that carries one.
//
// Calls named `try_` or `_for` return a std::error_code; all others throw bus_error.
// Threads: any.
#pragma once

#include <string>
#include <system_error>

namespace actorbus {

/// Each error of the bus. Zero is success, as for every error code.
enum class errc {
  closed = 1,         ///< the bus, the topic's publisher or the subscription was closed
  finished,           ///< the topic was finished: it takes no further events
  would_block,        ///< the call would have to wait, and may not
  timeout,            ///< the deadline passed first
  invalid_topic,      ///< not a topic name
  invalid_pattern,    ///< not a pattern
  invalid_argument,   ///< another argument or option out of its range
  type_mismatch,      ///< the name already belongs to a topic of another type
  options_mismatch,   ///< different explicit options were given before
  in_handler,         ///< not possible inside a handler
  no_responders,      ///< nobody answers requests of that name
  handler_failed,     ///< a responder or an interceptor threw
  disconnected,       ///< the subscription lagged further than it declared and was disconnected
  decode_failed,      ///< bytes from outside are not a value of the expected type
  not_connected,      ///< no connection to the server at the moment
  refused_by_server,  ///< the server answered with an error
  unsupported,        ///< this build, server or transport cannot do that
};

/// The category of `errc`, named "actorbus". Its codes compare equal to the std::errc that means the same, where one
/// does: `code == std::errc::timed_out`.
const std::error_category& error_category() noexcept;

std::error_code make_error_code(errc code) noexcept;

/// What the bus throws. `code()` tells which error, `what()` what happened to whom.
class bus_error : public std::system_error {
 public:
  bus_error(errc code, const std::string& what);
  /// With an error of somebody else's: an interceptor's, a server's.
  bus_error(std::error_code code, const std::string& what);
};

}  // namespace actorbus

template <>
struct std::is_error_code_enum<actorbus::errc> : std::true_type {};
