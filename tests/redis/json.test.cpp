#include <bridges/json.hpp>

#include <optional>
#include <vector>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;

namespace shop {

struct order {
  int id = 0;
  std::string item;
  std::vector<double> prices;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id, item, prices)

/// Refuses what it reads, in its own words.
struct picky {};
void to_json(nlohmann::json& json, const picky&) { json = "picky"; }
void from_json(const nlohmann::json&, picky&) { throw std::runtime_error("too picky for that"); }

struct plain {};

}  // namespace shop

namespace {

template <class T>
std::string encoded(const T& value) {
  std::string text;
  codec<T>::encode(value, text);
  return text;
}

std::string why_not(std::string_view text) {
  try {
    codec<shop::order>::decode(text);
  } catch (const bus_error& error) {
    CHECK(error.code() == errc::decode_failed);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a type with to_json and from_json travels as JSON, one without does not", "[json]") {
  STATIC_REQUIRE(has_codec<shop::order>);
  STATIC_REQUIRE(has_codec<std::vector<shop::order>>);
  STATIC_REQUIRE(has_codec<nlohmann::json>);
  STATIC_REQUIRE(has_codec<int>);
  STATIC_REQUIRE_FALSE(has_codec<shop::plain>);
  CHECK(codec<shop::order>::content_type == "application/json");
  const std::string text = encoded(shop::order{7, "t\xc3\xa9", {1.5, 2}});
  CHECK(text == "{\"id\":7,\"item\":\"t\xc3\xa9\",\"prices\":[1.5,2.0]}");
  const shop::order back = codec<shop::order>::decode(text);
  CHECK(back.id == 7);
  CHECK(back.item == "t\xc3\xa9");
  CHECK(back.prices == std::vector<double>{1.5, 2});
}

TEST_CASE("types with a codec of their own keep it beside JSON", "[json]") {
  CHECK(encoded(std::string("as it is")) == "as it is");
  CHECK(encoded(std::vector<std::uint8_t>{1, 2}) == "\1\2");
  CHECK(encoded(std::map<std::string, std::string>{{"a", "1"}}) == "a=1");
}

TEST_CASE("what is not the JSON expected is refused and says why", "[json]") {
  CHECK(mentions(why_not(""), "not the JSON expected"));
  CHECK(mentions(why_not("{\"id\":7"), "parse error"));
  CHECK(mentions(why_not("{\"id\":7}"), "item"));
  CHECK(mentions(why_not("[]"), "not the JSON expected"));
  CHECK(mentions(why_not("{\"id\":7,\"item\":5,\"prices\":[]}"), "must be string"));
  CHECK(mentions(why_not(std::string("\0\xff", 2)), "not the JSON expected"));
}

TEST_CASE("whatever a from_json throws is a failure to decode", "[json]") {
  CHECK(error_of([] { codec<shop::picky>::decode("1"); }) == errc::decode_failed);
}

TEST_CASE("JSON nested too deep for a stack is refused before it is read", "[json]") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(codec<nlohmann::json>::decode(nested(core::max_json_depth)).size() == 1);
  CHECK(error_of([&] { codec<nlohmann::json>::decode(nested(core::max_json_depth + 1)); }) == errc::decode_failed);
  CHECK(error_of([] { codec<nlohmann::json>::decode(std::string(10'000'000, '[')); }) == errc::decode_failed);
  const std::string quoted = "\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\"";
  CHECK(codec<nlohmann::json>::decode(quoted).is_string());
}

TEST_CASE("text that is not UTF-8 cannot be written as JSON", "[json]") {
  CHECK(error_of([] { encoded(shop::order{1, "\xff", {}}); }) == errc::invalid_argument);
}
