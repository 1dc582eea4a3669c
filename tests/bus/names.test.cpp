#include <bus/names.hpp>

#include <bus/errors.hpp>
#include "tests/catch.hpp"

using namespace actorbus;

namespace {

std::error_code code_of(void (*require)(std::string_view), std::string_view name) {
  try {
    require(name);
  } catch (const bus_error& error) {
    return error.code();
  }
  return {};
}

std::string text_of(void (*require)(std::string_view), std::string_view name) {
  try {
    require(name);
  } catch (const bus_error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("dot-separated tokens of any printable or high bytes are a topic name", "[names]") {
  const std::string name = GENERATE(as<std::string>{}, "a", "robot.pose", "a.b.c.d", "42", "A-b_c.:/#", "größe.µ",
                                    "\x80\xff", std::string(255, 'x'));
  CHECK(is_topic_name(name));
  CHECK(is_pattern(name));
  CHECK(is_literal(name));
  CHECK_NOTHROW(require_topic_name(name));
  CHECK_NOTHROW(require_pattern(name));
}

TEST_CASE("an invalid topic name is refused as a topic and as a literal pattern", "[names]") {
  const std::string name = GENERATE(as<std::string>{}, "", ".", "..", ".a", "a.", "a..b", "a b", " ", "a\tb", "a\nb",
                                    "a\x7f", std::string("a\0b", 3), std::string(256, 'x'));
  CHECK_FALSE(is_topic_name(name));
  CHECK_FALSE(is_pattern(name));
  CHECK(code_of(require_topic_name, name) == errc::invalid_topic);
  CHECK(code_of(require_pattern, name) == errc::invalid_topic);
}

TEST_CASE("a wildcard is no topic name", "[names]") {
  const std::string name = GENERATE(as<std::string>{}, "*", ">", "a.*", "a.>", "a*", "a.b>c");
  CHECK_FALSE(is_topic_name(name));
  CHECK_FALSE(is_literal(name));
  CHECK(code_of(require_topic_name, name) == errc::invalid_topic);
}

TEST_CASE("a star token anywhere and a last arrow are a pattern", "[names]") {
  const std::string pattern =
      GENERATE(as<std::string>{}, "*", ">", "*.*", "a.*", "*.a", "a.*.b", "a.>", "*.>", "*.a.>");
  CHECK(is_pattern(pattern));
  CHECK_NOTHROW(require_pattern(pattern));
}

TEST_CASE("a wildcard anywhere else is an invalid pattern", "[names]") {
  const std::string pattern = GENERATE(as<std::string>{}, ">.a", "a.>.b", "a*", "*a", "a.b*.c", "**", ">>", "a.>>",
                                       "*>", "a..*", "*.", ".>", "a b.*", "a\n.>", "*." + std::string(254, 'x'));
  CHECK_FALSE(is_pattern(pattern));
  CHECK(code_of(require_pattern, pattern) == errc::invalid_pattern);
}

TEST_CASE("a pattern covers exactly the topics it describes", "[names]") {
  CHECK(matches("a.b", "a.b"));
  CHECK_FALSE(matches("a.b", "a"));
  CHECK_FALSE(matches("a.b", "a.b.c"));
  CHECK_FALSE(matches("a.b", "a.bc"));

  CHECK(matches("*", "a"));
  CHECK_FALSE(matches("*", "a.b"));
  CHECK(matches("a.*", "a.b"));
  CHECK_FALSE(matches("a.*", "a"));
  CHECK_FALSE(matches("a.*", "b.b"));
  CHECK_FALSE(matches("a.*", "a.b.c"));
  CHECK(matches("*.b.*", "a.b.c"));

  CHECK(matches(">", "a"));
  CHECK(matches(">", "a.b.c"));
  CHECK(matches("a.>", "a.b"));
  CHECK(matches("a.>", "a.b.c.d"));
  CHECK_FALSE(matches("a.>", "a"));
  CHECK_FALSE(matches("a.>", "ab.c"));
  CHECK(matches("*.>", "a.b"));
  CHECK_FALSE(matches("*.>", "a"));
}

TEST_CASE("the error of a bad name shows it, escaped and shortened, and what would be right", "[names]") {
  const std::string text = text_of(require_topic_name, "a\n\"b\"");
  CHECK(text.find(R"("a\x0a\"b\"")") != std::string::npos);
  CHECK(text.find("control character") != std::string::npos);
  CHECK(text.find("robot.pose") != std::string::npos);

  const std::string long_text = text_of(require_topic_name, std::string(5000, 'x'));
  CHECK(long_text.size() < 400);
  CHECK(long_text.find("xxx...\"") != std::string::npos);
  CHECK(long_text.find("longer than 255") != std::string::npos);

  CHECK(text_of(require_pattern, "a.>.b").find("last token") != std::string::npos);
  CHECK(text_of(require_pattern, "a*.b").find("part of a token") != std::string::npos);
}

TEST_CASE("a shortened name is not cut inside a character", "[names]") {
  std::string name(63, 'x');
  name += "\xc3\xa4\xc3\xa4";  // the first two-byte character straddles the limit
  CHECK(core::quoted(name) == '"' + std::string(63, 'x') + "...\"");
}

TEST_CASE("tokens come off a name one by one", "[names]") {
  std::string_view rest = "a.bc.d";
  CHECK(core::take_token(rest) == "a");
  CHECK(core::take_token(rest) == "bc");
  CHECK(core::take_token(rest) == "d");
  CHECK(rest.empty());
}
