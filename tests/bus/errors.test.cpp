#include <bus/errors.hpp>

#include <set>

#include "tests/catch.hpp"

using actorbus::bus_error;
using actorbus::errc;

TEST_CASE("an errc becomes an error code of the actorbus category", "[errors]") {
  const std::error_code code = errc::would_block;
  CHECK(code);
  CHECK(code == errc::would_block);
  CHECK(code != errc::timeout);
  CHECK(std::string(code.category().name()) == "actorbus");
  CHECK_FALSE(std::error_code{});
}

TEST_CASE("every errc has a message of its own", "[errors]") {
  std::set<std::string> messages;
  const int last = static_cast<int>(errc::unsupported);
  for (int value = 1; value <= last; ++value) {
    const std::string message = actorbus::error_category().message(value);
    CHECK(message.find("unknown") == std::string::npos);
    messages.insert(message);
  }
  CHECK(messages.size() == static_cast<std::size_t>(last));
  CHECK(actorbus::error_category().message(last + 1) == "unknown error " + std::to_string(last + 1));
}

TEST_CASE("an errc equals the standard condition that means the same", "[errors]") {
  CHECK(make_error_code(errc::timeout) == std::errc::timed_out);
  CHECK(make_error_code(errc::would_block) == std::errc::operation_would_block);
  CHECK(make_error_code(errc::invalid_argument) == std::errc::invalid_argument);
  CHECK(make_error_code(errc::invalid_topic) == std::errc::invalid_argument);
  CHECK(make_error_code(errc::invalid_pattern) == std::errc::invalid_argument);
  CHECK(make_error_code(errc::in_handler) == std::errc::resource_deadlock_would_occur);
  CHECK(make_error_code(errc::not_connected) == std::errc::not_connected);
  CHECK(make_error_code(errc::unsupported) == std::errc::not_supported);
  CHECK(make_error_code(errc::decode_failed) == std::errc::bad_message);
}

TEST_CASE("an errc without a standard counterpart is its own condition", "[errors]") {
  CHECK(make_error_code(errc::closed).default_error_condition().category() == actorbus::error_category());
  CHECK(make_error_code(errc::invalid_topic) != errc::invalid_pattern);
}

TEST_CASE("a bus error is a system error that tells which error and what happened", "[errors]") {
  try {
    throw bus_error(errc::closed, "publish to \"a.b\"");
  } catch (const std::system_error& error) {
    CHECK(error.code() == errc::closed);
    CHECK(std::string(error.what()).find("publish to \"a.b\"") == 0);
    CHECK(std::string(error.what()).find("closed") != std::string::npos);
  }
}
