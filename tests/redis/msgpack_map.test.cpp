#include <bridges/redis/msgpack_map.hpp>

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

std::string written(const headers& from, std::string_view except = "no such name") {
  std::string text;
  append_msgpack_map(from, except, text);
  return text;
}

headers read(std::string_view text) {
  headers result;
  const fault wrong = read_msgpack_map(text, result);
  CHECK(wrong == nullptr);
  return result;
}

std::string fault_of(std::string_view text) {
  headers ignored;
  const fault wrong = read_msgpack_map(text, ignored);
  return wrong != nullptr ? wrong : "";
}

/// What another implementation makes of it.
headers by_another(const std::string& text) {
  headers result;
  const nlohmann::json read = nlohmann::json::from_msgpack(text);
  for (const auto& [name, value] : read.items()) result.set(name, value);
  return result;
}

}  // namespace

TEST_CASE("a map of texts is written in MessagePack's shortest forms", "[msgpack]") {
  CHECK(written({}) == "\x80");
  CHECK(written({{"foo", "bar"}}) ==
        "\x81\xa3"
        "foo\xa3"
        "bar");
  CHECK(written({{"foo", "bar"}, {"id", "1"}}, "id") ==
        "\x81\xa3"
        "foo\xa3"
        "bar");
  CHECK(written({{"", std::string(32, 'x')}}) == "\x81\xa0\xd9\x20" + std::string(32, 'x'));
  CHECK(written({{"", std::string(256, 'x')}}) == std::string("\x81\xa0\xda\x01\x00", 5) + std::string(256, 'x'));
  CHECK((written({{"", std::string(65536, 'x')}}) ==
         std::string("\x81\xa0\xdb\x00\x01\x00\x00", 7) + std::string(65536, 'x')));
  headers sixteen;
  for (int i = 0; i < 16; ++i) sixteen.set(std::to_string(i), "");
  CHECK(written(sixteen).starts_with(std::string("\xde\x00\x10", 3)));
}

TEST_CASE("a map of texts is read in every form that MessagePack has for it", "[msgpack]") {
  const headers expected{{"a", "b"}};
  CHECK(read("\x81\xa1"
             "a\xa1"
             "b") == expected);
  CHECK(read(std::string("\xde\0\1\xd9\1a\xda\0\1b", 10)) == expected);
  CHECK(read(std::string("\xdf\0\0\0\1\xdb\0\0\0\1a\xc4\1b", 14)) == expected);
  CHECK(read(std::string("\x81\xc5\0\1a\xc6\0\0\0\1b", 11)) == expected);
  CHECK(read("\x81\xa1"
             "a\xc0") == headers{{"a", ""}});
  CHECK(read("\xc0") == headers{});
  CHECK(read("\x82\xa1"
             "a\xa1"
             "x\xa1"
             "a\xa1"
             "b") == expected);
}

TEST_CASE("anything else than one map of texts is a fault", "[msgpack]") {
  CHECK(mentions(fault_of("\x93"), "no map"));
  CHECK(mentions(fault_of("a"), "no map"));
  CHECK(mentions(fault_of("\x81\xa1"
                          "a\x07"),
                 "other than texts"));
  CHECK(mentions(fault_of("\x81\x07\xa1"
                          "a"),
                 "other than texts"));
  CHECK(mentions(fault_of("\x81\xa1"
                          "a\x81"),
                 "other than texts"));
  CHECK(mentions(fault_of("\x80\x80"), "behind"));
  CHECK(mentions(fault_of(std::string("\xde\x04\x01", 3)), "1024"));
  CHECK(mentions(fault_of("\xdf\xff\xff\xff\xff"), "1024"));
  CHECK(mentions(fault_of("\x81\xdb\xff\xff\xff\xff"), "ends"));
}

TEST_CASE("a map in MessagePack cut anywhere is a fault", "[msgpack]") {
  const std::string whole = written({{"a", "1"}, {std::string(40, 'n'), std::string(300, 't')}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(mentions(fault_of(whole.substr(0, size)), "ends"));
  }
  CHECK(fault_of(whole).empty());
}

TEST_CASE("maps by chance are read back, and another implementation reads the same", "[msgpack]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_samples random(seed);
  for (int round = 0; round < 300; ++round) {
    headers some;
    for (std::size_t n = random.below(20); n > 0; --n) {
      some.set(std::to_string(random.number()), std::string(random.below(400), 'x'));
    }
    CHECK(read(written(some)) == some);
    CHECK(by_another(written(some)) == some);
    const headers binary = random.headers();
    CHECK(read(written(binary)) == binary);
  }
}
