#include <bus/form_encoding.hpp>

#include <random>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using namespace actorbus;

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

std::string written(const pairs& from) {
  std::string text;
  for (const auto& [name, value] : from) append_form_pair(text, name, value, text.empty());
  return text;
}

pairs read(std::string_view text) {
  pairs result;
  form_reader reader(text);
  for (std::string name, value; reader.next(name, value);) result.emplace_back(name, value);
  CHECK(reader.fault() == nullptr);
  return result;
}

const char* fault_of(std::string_view text) {
  form_reader reader(text);
  for (std::string name, value; reader.next(name, value);) continue;
  return reader.fault();
}

}  // namespace

TEST_CASE("a form joins pairs by & and =, and escapes all but letters, digits and four signs", "[form]") {
  CHECK(written({}).empty());
  CHECK(written({{"a", "1"}, {"b", "2"}}) == "a=1&b=2");
  CHECK(written({{"a b", "c&d=e"}}) == "a+b=c%26d%3De");
  CHECK(written({{"*-._", "~/+%"}}) == "*-._=%7E%2F%2B%25");
  CHECK(written({{"", ""}}) == "=");
  CHECK(written({{"\xc3\xa9", std::string("\0\xff", 2)}}) == "%C3%A9=%00%FF");
}

TEST_CASE("a form is read as browsers write it", "[form]") {
  CHECK(read("") == pairs{});
  CHECK(read("=") == pairs{{"", ""}});
  CHECK(read("a=1&b=2") == pairs{{"a", "1"}, {"b", "2"}});
  CHECK(read("a+b=%41%6a%6A") == pairs{{"a b", "Ajj"}});
  CHECK(read("a=b=c") == pairs{{"a", "b=c"}});
  CHECK(read("a&&b&") == pairs{{"a", ""}, {"b", ""}});
  CHECK(read("a=1&a=2") == pairs{{"a", "1"}, {"a", "2"}});
}

TEST_CASE("a percent sign without two hexadecimal digits stops the reading of a form", "[form]") {
  for (const char* text : {"%", "a=%", "a=%4", "%4g=1", "a=%g4", "ok=1&a=%%"}) {
    INFO(text);
    CHECK(fault_of(text) != nullptr);
  }
  form_reader reader("ok=1&a=%&b=2");
  std::string name, value;
  CHECK(reader.next(name, value));
  CHECK_FALSE(reader.next(name, value));
  CHECK_FALSE(reader.next(name, value));
}

TEST_CASE("any bytes survive a form", "[form]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto bytes = [&] {
    std::string text(random() % 20, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    pairs some(1 + random() % 5);
    for (auto& [name, value] : some) name = bytes(), value = bytes();
    CHECK(read(written(some)) == some);
  }
}
