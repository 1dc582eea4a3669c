#include <bus/notices.hpp>

#include "tests/catch.hpp"

using namespace actorbus;

TEST_CASE("every reason to finish has a name", "[notices]") {
  CHECK(to_string(finish_reason::finished) == "finished");
  CHECK(to_string(finish_reason::closed) == "closed");
  CHECK(to_string(finish_reason::disconnected) == "disconnected");
}

TEST_CASE("a bridge's notice keeps its kind and its text", "[notices]") {
  const log_notice notice = trimmed{"orders.created", "1-0", "9-0"};
  REQUIRE(std::holds_alternative<trimmed>(notice));
  CHECK(std::get<trimmed>(notice).topic == "orders.created");
  CHECK(std::get<trimmed>(notice).last == "9-0");
  CHECK(std::holds_alternative<gap>(log_notice(gap{"orders.created", "connection lost"})));
}
