// Which payloads are taken for our own, with no server.
#include <bridges/redis/echo_filter.hpp>

#include "tests/catch.hpp"

using actorbus::redis::echo_filter;

TEST_CASE("what was sent is an echo once, on its channel", "[echo_filter]") {
  echo_filter filter;
  filter.sent("a", "1");
  CHECK_FALSE(filter.is_echo("b", "1"));
  CHECK_FALSE(filter.is_echo("a", "2"));
  CHECK(filter.is_echo("a", "1"));
  CHECK_FALSE(filter.is_echo("a", "1"));
}

TEST_CASE("somebody else's equal payload takes the place of ours, and nothing else's", "[echo_filter]") {
  echo_filter filter;
  for (const auto* each : {"same", "1", "same", "2"}) filter.sent("a", each);
  CHECK(filter.is_echo("a", "same"));  // theirs, twice
  CHECK(filter.is_echo("a", "same"));
  CHECK_FALSE(filter.is_echo("a", "same"));  // ours
  CHECK(filter.is_echo("a", "1"));
  CHECK_FALSE(filter.is_echo("a", "same"));
  CHECK(filter.is_echo("a", "2"));
}

TEST_CASE("what is taken back is no echo any more, unless one has come for it", "[echo_filter]") {
  echo_filter filter;
  const auto first = filter.sent("a", "same");
  filter.sent("a", "same");
  CHECK(filter.take_back("a", first));
  CHECK(filter.is_echo("a", "same"));
  CHECK_FALSE(filter.is_echo("a", "same"));
  CHECK_FALSE(filter.take_back("a", first));
  CHECK_FALSE(filter.take_back("b", first));
}

TEST_CASE("what was forgotten with the connection is not missed where it is taken back", "[echo_filter]") {
  echo_filter filter;
  const auto mark = filter.sent("a", "same");
  filter.forget();
  filter.sent("a", "same");
  CHECK(filter.take_back("a", mark));
  CHECK(filter.is_echo("a", "same"));
}

TEST_CASE("one that very many have overtaken is forgotten", "[echo_filter]") {
  echo_filter filter;
  filter.sent("a", "never came");
  for (std::size_t i = 0; i + 1 < echo_filter::most_overtaking; ++i) {
    filter.sent("a", "x");
    REQUIRE(filter.is_echo("a", "x"));
  }
  CHECK(filter.is_echo("a", "never came"));
  filter.sent("a", "never came");
  for (std::size_t i = 0; i < echo_filter::most_overtaking; ++i) {
    filter.sent("a", "x");
    REQUIRE(filter.is_echo("a", "x"));
  }
  CHECK_FALSE(filter.is_echo("a", "never came"));
}

TEST_CASE("what is in flight is bounded, and forgotten with the connection", "[echo_filter]") {
  echo_filter filter;
  filter.sent("a", "first");
  for (std::size_t i = 0; i < echo_filter::most; ++i) filter.sent("a", "x");
  CHECK_FALSE(filter.is_echo("a", "first"));
  CHECK(filter.is_echo("a", "x"));
  filter.forget_if([](const std::string& channel) { return channel == "b"; });
  CHECK(filter.is_echo("a", "x"));
  filter.forget_if([](const std::string& channel) { return channel == "a"; });
  CHECK_FALSE(filter.is_echo("a", "x"));
  filter.sent("a", "x");
  filter.forget();
  CHECK_FALSE(filter.is_echo("a", "x"));
}
