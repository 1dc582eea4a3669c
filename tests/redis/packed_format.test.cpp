#include <numeric>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

const wire_format& packed() { return wire_format_of(format::packed, payload_shape::bytes); }

const std::string magic =
    "\xff"
    "abp";

std::vector<sample> run(std::size_t size, std::uint64_t origin, std::uint64_t first) {
  std::vector<sample> events(size);
  for (std::size_t i = 0; i < size; ++i) {
    events[i].payload = std::to_string(i);
    events[i].origin = origin;
    events[i].origin_sequence = first + i;
  }
  return events;
}

void check_same(const std::vector<sample>& read, const std::vector<sample>& written) {
  REQUIRE(read.size() == written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    INFO("event " << i);
    CHECK((read[i].payload == written[i].payload));
    CHECK(read[i].headers == written[i].headers);
    CHECK(read[i].content_type == written[0].content_type);
    CHECK(read[i].origin == written[i].origin);
    CHECK(read[i].origin_sequence == written[i].origin_sequence);
    CHECK(read[i].step == (i == 0 ? written[0].step : 0));
  }
}

}  // namespace

TEST_CASE("a run of one origin's events costs a byte or two of layout an event", "[packed]") {
  const std::vector<sample> events = run(3, 0x0807060504030201, 300);
  CHECK(message_of(packed(), events) == magic + std::string("\3\0\1\2\3\4\5\6\7\x08\xac\2\0\4"
                                                            "0\4"
                                                            "1\4"
                                                            "2",
                                                            19));
  CHECK(entry_of(packed(), events) == pairs{{"packed", message_of(packed(), events)}});
  CHECK(message_of(packed(), run(64, 1, 1)).size() < 64 * 3 + 20);
}

TEST_CASE("packed events are laid out as FORMAT.md's example", "[packed]") {
  std::vector<sample> events = run(3, 0x9f86d081884c7d65, 1042);
  events[0].content_type = events[1].content_type = events[2].content_type = "application/json";
  events[0].payload = "1";
  events[1].payload = "23";
  events[2].payload = "4";
  events[2].headers = {{"source", "odometry"}};
  events[0].step = 1;
  CHECK(message_of(packed(), events) == magic +
                                            "\x03\x10"
                                            "application/json"
                                            "e}L\x88\x81\xd0\x86\x9f\x92\b\x01\x04"
                                            "1\b23\x05\x01\x06source\bodometry4");
}

TEST_CASE("packed events keep payload, headers, content type, origin, sequence and their place", "[packed]") {
  std::vector<sample> events = run(5, 7, 1);
  for (sample& event : events) event.content_type = "application/json";
  events[1].headers = {{"a", "1"}, {"b", std::string(500, 'x')}};
  events[2].origin_sequence = 100;
  events[3].origin = 8;
  events[4].origin_sequence = 101;
  events[0].step = 300;
  const std::string message = message_of(packed(), events);
  std::vector<incoming> read;
  REQUIRE(packed().read_message(message, read) == nullptr);
  check_same(copied(nullptr, read).events, events);
  for (std::size_t i = 0; i < read.size(); ++i) CHECK(read[i].place == i);
  check_same(read_entry(packed(), entry_of(packed(), events)).events, events);
}

TEST_CASE("one event alone is packed too, empty or large", "[packed]") {
  const std::string all = std::string(64 << 20, 'x');
  for (const std::string& payload : {std::string(), std::string("x"), all}) {
    const std::vector<sample> events{sample{.payload = payload}};
    check_same(read_message(packed(), message_of(packed(), events)).events, events);
  }
  CHECK(message_of(packed(), sample{.payload = ""}) == magic + std::string("\1\0\0\0\0\0\0\0\0\0\0\0\0", 13));
}

TEST_CASE("an entry says how many events it holds without being read", "[packed]") {
  const auto count = [](const pairs& entry) { return packed().count_entry(views_of(entry)); };
  CHECK(count(entry_of(packed(), run(300, 1, 1))) == 300);
  CHECK(count({{"data", "x"}}) == 1);
  CHECK(count({{"packed", "x"}}) == 0);
  CHECK(count({{"packed", magic + "\3"}}) == 0);
}

TEST_CASE("where packed events are expected, a bare XADD or PUBLISH and an envelope are events too", "[packed]") {
  const wire_format& native = wire_format_of(format::native, payload_shape::bytes);
  const sample told{.origin = 7, .origin_sequence = 8};
  CHECK(read_entry(packed(), {{"data", "hello"}}).one().payload == "hello");
  CHECK(read_message(packed(), "hello").one().payload == "hello");
  CHECK(read_message(packed(), message_of(native, told)).one().origin == 7);
  CHECK(read_entry(packed(), entry_of(native, told)).one().origin_sequence == 8);
  CHECK(read_entry(packed(), {{"x", "hello"}}).fault == "it has no field `data`");
}

TEST_CASE("packed events cut anywhere are a fault, and no event of them is read", "[packed]") {
  std::vector<sample> events = run(4, 7, 1);
  events[1].headers = {{"a", "1"}};
  events[2].origin = 8;
  const std::string whole = message_of(packed(), events);
  std::vector<incoming> read(1);
  for (std::size_t size = magic.size(); size < whole.size(); ++size) {
    INFO(size);
    const fault wrong = packed().read_message(std::string_view(whole).substr(0, size), read);
    REQUIRE(wrong != nullptr);
    CHECK(mentions(wrong, "ends"));
    CHECK(read.size() == 1);
  }
}

TEST_CASE("packed events that claim what is not there are a fault before any memory is taken", "[packed]") {
  const auto fault_of = [](const std::string& behind) { return read_message(packed(), magic + behind).fault; };
  CHECK(mentions(fault_of(std::string("\0", 1)), "no packed events"));
  CHECK(mentions(fault_of("\xff\xff\xff\xff\x7f"), "65536"));
  CHECK(mentions(fault_of("\x81\x80\x04"), "65536"));
  CHECK(mentions(fault_of(std::string("\x80\x80\x04\0\0\0\0\0\0\0\0\0\0\0", 14)), "ends"));
  CHECK(mentions(fault_of("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "ends"));
  CHECK(mentions(fault_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "ends"));
  const std::string head("\1\0\0\0\0\0\0\0\0\0\0\0", 12);
  CHECK(mentions(fault_of(head + "\xfc\xff\xff\xff\xff\xff\xff\xff\xff\1"), "ends"));
  CHECK(mentions(fault_of(head + "\1\x81\x08"), "1024"));
  CHECK(mentions(fault_of(head + std::string("\1\2\1a\x7f", 5)), "ends"));
  CHECK(mentions(fault_of(head + std::string("\0\0", 2)), "behind"));
  CHECK(mentions(read_entry(packed(), {{"packed", ""}}).fault, "version"));
}

TEST_CASE("no events, and more than 65536, cannot be packed, 65536 can", "[packed]") {
  std::vector<sample> events = run(65536, 7, 1);
  check_same(read_message(packed(), message_of(packed(), events)).events, events);
  CHECK(packed().max_events() == events.size());
  events.emplace_back();
  CHECK(error_of([&] { message_of(packed(), events); }) == errc::invalid_argument);
  CHECK(error_of([] { message_of(packed(), std::span<const sample>()); }) == errc::invalid_argument);
}

TEST_CASE("events by chance are packed and read back", "[packed]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_samples random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<sample> events(1 + random.below(20));
    for (sample& event : events) {
      event = random.one();
      event.content_type = events[0].content_type;
      // Often the next of the same origin, so that both ways to tell it are taken.
      if (&event != &events[0] && random.below(2) == 0) {
        event.origin = (&event)[-1].origin;
        event.origin_sequence = event.origin == 0 ? 0 : (&event)[-1].origin_sequence + 1;
      }
    }
    check_same(read_message(packed(), message_of(packed(), events)).events, events);
  }
}
