#include <bridges/redis/stamp.hpp>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

std::string stamp_of(const sample& s) {
  std::string line;
  append_stamp(std::span<const outgoing>(outgoing_samples({&s, 1})).front(), line);
  return line;
}

incoming read(std::string_view line) {
  incoming event;
  const fault wrong = read_stamp(line, event);
  CHECK(wrong == nullptr);
  return event;
}

std::string fault_of(std::string_view line) {
  incoming event;
  const fault wrong = read_stamp(line, event);
  return wrong != nullptr ? wrong : "";
}

}  // namespace

TEST_CASE("a stamp is a line of version, origin, sequence, headers and content type", "[stamp]") {
  CHECK(stamp_of({}) == "1 0 0");
  CHECK(stamp_of({.origin = 0x9f86d081884c7d65, .origin_sequence = 1042}) == "1 9f86d081884c7d65 1042");
  CHECK(stamp_of({.origin = 1, .origin_sequence = 1042, .step = 3}) == "1 1 1042+3");
  CHECK(stamp_of({.origin = ~0ULL, .origin_sequence = ~0ULL, .step = ~0ULL}) ==
        "1 ffffffffffffffff 18446744073709551615+18446744073709551615");
  CHECK(stamp_of({.headers = {{"source", "odo metry"}, {"n", "1"}}, .origin = 1}) == "1 1 0 source=odo+metry&n=1");
  CHECK(stamp_of({.content_type = "application/json", .origin = 1}) == "1 1 0 - application/json");
  CHECK(stamp_of({.headers = {{"-", ""}}, .content_type = "text/plain; charset=utf-8"}) ==
        "1 0 0 -= text/plain; charset=utf-8");
}

TEST_CASE("a stamp leaves out the usual content type, and a sequence and step that are nobody's", "[stamp]") {
  CHECK(stamp_of({.origin_sequence = 7, .step = 1}) == "1 0 0");
  CHECK(stamp_of({.content_type = "application/octet-stream"}) == "1 0 0");
  CHECK(stamp_of({.origin_sequence = 7}) == "1 0 0");
}

TEST_CASE("a stamp that a person writes is read", "[stamp]") {
  CHECK(read("1 0 0").origin == 0);
  CHECK(read("1 FFFFFFFFFFFFFFFF 18446744073709551615").origin == ~std::uint64_t{0});
  CHECK(read("1 FFFFFFFFFFFFFFFF 18446744073709551615").origin_sequence == ~std::uint64_t{0});
  CHECK(read("1 0 9+1").origin_sequence == 0);
  CHECK(read("1 0 9+1").step == 0);
  CHECK(read("1 1 9").step == 0);
  CHECK(read("1 1 9+2 a=b").origin_sequence == 9);
  CHECK(read("1 1 9+2 a=b").step == 2);
  CHECK(read("1 0 0 a=b").headers == headers{{"a", "b"}});
  CHECK(read("1 0 0 a").headers == headers{{"a", ""}});
  CHECK(read("1 0 0  application/json").content_type == "application/json");
  CHECK(read("1 0 0 - text/plain; charset=utf-8").content_type == "text/plain; charset=utf-8");
}

TEST_CASE("a stamp that is wrong says in what", "[stamp]") {
  CHECK(mentions(fault_of(""), "version"));
  CHECK(mentions(fault_of("2 1 1"), "version"));
  CHECK(mentions(fault_of("11 1"), "version"));
  CHECK(mentions(fault_of("1"), "origin"));
  CHECK(mentions(fault_of("1 g 1"), "origin"));
  CHECK(mentions(fault_of("1 -1 1"), "origin"));
  CHECK(mentions(fault_of("1 10000000000000000 1"), "origin"));
  CHECK(mentions(fault_of("1 1"), "sequence"));
  CHECK(mentions(fault_of("1 1 x"), "sequence"));
  CHECK(mentions(fault_of("1 1 18446744073709551616"), "sequence"));
  CHECK(mentions(fault_of("1 1 1+"), "step"));
  CHECK(mentions(fault_of("1 1 1+x"), "step"));
  CHECK(mentions(fault_of("1 1 +1"), "sequence"));
  CHECK(mentions(fault_of("1 1 1 a=%"), "headers"));
}

TEST_CASE("an event takes at most 1024 headers out of the process and into it", "[stamp]") {
  sample s;
  std::string line = "1 0 0 ";
  for (int i = 0; i < 1024; ++i) {
    s.headers.set(std::to_string(i), "");
    line += std::to_string(i) + "=&";
  }
  CHECK(read(stamp_of(s)).headers == s.headers);
  CHECK(read(line).headers == s.headers);
  s.headers.set("one more", "");
  CHECK(error_of([&] { stamp_of(s); }) == errc::invalid_argument);
  CHECK(mentions(fault_of(line + "more="), "1024"));
}

TEST_CASE("a content type with a line feed is refused, since it would end the stamp", "[stamp]") {
  CHECK(error_of([] { stamp_of({.content_type = "a\nb"}); }) == errc::invalid_argument);
}

TEST_CASE("what is stamped by chance is read back", "[stamp]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_samples random(seed);
  for (int round = 0; round < 500; ++round) {
    const sample s = random.one();
    const std::string line = stamp_of(s);
    INFO(line);
    CHECK(line.find('\n') == line.npos);
    const incoming event = read(line);
    CHECK(event.headers == s.headers);
    CHECK(event.content_type == s.content_type);
    CHECK(event.origin == s.origin);
    CHECK(event.origin_sequence == s.origin_sequence);
  }
}
