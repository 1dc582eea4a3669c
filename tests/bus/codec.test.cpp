#include <bus/codec.hpp>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using namespace actorbus::testing;

namespace {

using fields = std::map<std::string, std::string>;

struct plain {};

struct pose {
  int x;
};

template <class T>
std::string encoded(const T& value) {
  std::string text = "before ";
  codec<T>::encode(value, text);
  return text;
}

}  // namespace

template <>
struct actorbus::codec<pose> {
  static constexpr std::string_view content_type = "application/x-pose";
  static void encode(const pose& value, std::string& to) { to += static_cast<char>(value.x); }
  static pose decode(std::string_view from) {
    if (from.size() != 1) throw bus_error(errc::decode_failed, "a pose is one byte");
    return {from.front()};
  }
};

TEST_CASE("texts, bytes and maps of texts have a codec, other types have one when somebody gave it", "[codec]") {
  STATIC_REQUIRE(has_codec<std::string>);
  STATIC_REQUIRE(has_codec<std::vector<std::byte>>);
  STATIC_REQUIRE(has_codec<std::vector<std::uint8_t>>);
  STATIC_REQUIRE(has_codec<fields>);
  STATIC_REQUIRE(has_codec<pose>);
  STATIC_REQUIRE_FALSE(has_codec<plain>);
  STATIC_REQUIRE_FALSE(has_codec<int>);
  require_codec<pose>();
}

TEST_CASE("only a map of texts travels as flat fields", "[codec]") {
  STATIC_REQUIRE(has_field_codec<fields>);
  STATIC_REQUIRE_FALSE(has_field_codec<std::string>);
  STATIC_REQUIRE_FALSE(has_field_codec<pose>);
}

TEST_CASE("a text and bytes are appended and read as they are, empty, binary and large", "[codec]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& text : {std::string(), all, std::string(64 << 20, 'x')}) {
    std::string to = "before ";
    codec<std::string>::encode(text, to);
    CHECK((to == "before " + text));
    CHECK((codec<std::string>::decode(text) == text));
    const auto octets = codec<std::vector<std::uint8_t>>::decode(text);
    CHECK((encoded(octets) == "before " + text));
    const auto bytes = codec<std::vector<std::byte>>::decode(text);
    CHECK(bytes.size() == text.size());
    CHECK((encoded(bytes) == "before " + text));
  }
}

TEST_CASE("a map of texts becomes a form as bytes", "[codec]") {
  CHECK(encoded(fields{}) == "before ");
  CHECK(encoded(fields{{"b", "2 3"}, {"a", "1"}}) == "before a=1&b=2+3");
  CHECK(codec<fields>::decode("") == fields{});
  CHECK(codec<fields>::decode("=") == fields{{"", ""}});
  CHECK(codec<fields>::decode("b=2+3&a=0&a=1") == fields{{"a", "1"}, {"b", "2 3"}});
  CHECK(error_of([] { codec<fields>::decode("a=%zz"); }) == errc::decode_failed);
}

TEST_CASE("a map of texts becomes fields that view into it, and the last of a name twice stays", "[codec]") {
  const fields some{{"a", "1"}, {"b", std::string("\0\r\n", 3)}};
  std::vector<field_view> views;
  codec<fields>::encode_fields(some, views);
  REQUIRE(views.size() == 2);
  CHECK(views[1].value.data() == some.at("b").data());
  CHECK(codec<fields>::decode_fields(views) == some);
  views.push_back({"a", "2"});
  CHECK(codec<fields>::decode_fields(views).at("a") == "2");
}

TEST_CASE("a codec of one's own says what is wrong", "[codec]") {
  CHECK(encoded(pose{'x'}) == "before x");
  CHECK(codec<pose>::decode("y").x == 'y');
  CHECK(error_of([] { codec<pose>::decode("yy"); }) == errc::decode_failed);
}
