#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

const wire_format& native() { return wire_format_of(format::native, payload_shape::bytes); }
const wire_format& native_flat() { return wire_format_of(format::native, payload_shape::fields); }

const sample told{.headers = {{"source", "odometry"}},
                  .content_type = "application/json",
                  .origin = 0x9f86d081884c7d65,
                  .origin_sequence = 1042};

}  // namespace

TEST_CASE("a bare XADD is an event", "[native]") {
  const reading read = read_entry(native(), {{"data", "hello"}});
  REQUIRE(read.fault.empty());
  CHECK(read.one().payload == "hello");
  CHECK(read.one().topic.empty());
  CHECK(read.one().origin == 0);
  CHECK(read.one().headers.empty());
}

TEST_CASE("a bare PUBLISH is an event, whatever it holds", "[native]") {
  for (const std::string& text : {std::string("hello"), std::string(), std::string("\xff"), std::string("\xff\x61"),
                                  std::string("\0\r\n", 3), std::string(64 << 20, 'x')}) {
    const reading read = read_message(native(), text);
    CHECK(read.fault.empty());
    CHECK((read.one().payload == text));
    CHECK(read.one().origin == 0);
  }
}

TEST_CASE("an event with nothing to tell is as a foreign program would write it", "[native]") {
  CHECK(entry_of(native(), sample{}) == pairs{{"data", "hello"}, {"channel", "orders.created"}});
  CHECK(message_of(native(), sample{}) == "hello");
}

TEST_CASE("an event's origin, sequence, headers and content type are one more field of its entry", "[native]") {
  CHECK(entry_of(native(), told) == pairs{{"data", "hello"},
                                          {"channel", "orders.created"},
                                          {"actorbus", "1 9f86d081884c7d65 1042 source=odometry application/json"}});
  const sample back = read_entry(native(), entry_of(native(), told)).one();
  CHECK(back.payload == "hello");
  CHECK(back.headers == told.headers);
  CHECK(back.content_type == told.content_type);
  CHECK(back.origin == told.origin);
  CHECK(back.origin_sequence == told.origin_sequence);
}

TEST_CASE("a message that tells more than its payload is an envelope", "[native]") {
  CHECK(message_of(native(), told) ==
        "\xff"
        "ab1 9f86d081884c7d65 1042 source=odometry application/json\nhello");
  const sample back = read_message(native(), message_of(native(), told)).one();
  CHECK(back.payload == "hello");
  CHECK(back.headers == told.headers);
  CHECK(back.origin_sequence == told.origin_sequence);
}

TEST_CASE("a payload that looks like an envelope goes in an envelope", "[native]") {
  const sample nested{.payload = message_of(native(), told)};
  CHECK(message_of(native(), nested) ==
        "\xff"
        "ab1 0 0\n" +
            nested.payload);
  CHECK(read_message(native(), message_of(native(), nested)).one().payload == nested.payload);
}

TEST_CASE("an entry without data is refused, extra fields and a missing channel are not", "[native]") {
  CHECK(read_entry(native(), {}).fault == "it has no field `data`");
  CHECK(read_entry(native(), {{"payload", "x"}, {"Data", "x"}}).fault == "it has no field `data`");
  CHECK(read_entry(native(), {{"x", "1"}, {"data", ""}, {"y", "2"}}).one().payload.empty());
  CHECK(read_entry(native(), {{"actorbus", "1 7 8"}, {"data", "1"}, {"data", "2"}}).one().payload == "1");
  CHECK(read_entry(native(), {{"actorbus", "1 7 8"}, {"data", "1"}}).one().origin == 7);
}

TEST_CASE("an envelope or a stamp that is wrong is a fault, and no event", "[native]") {
  const auto fault_of = [](const std::string& message) {
    const reading read = read_message(native(), message);
    CHECK(read.events.empty());
    return read.fault;
  };
  CHECK(mentions(fault_of("\xff"
                          "ab"),
                 "line feed"));
  CHECK(mentions(fault_of("\xff"
                          "ab1 1 1"),
                 "line feed"));
  CHECK(mentions(fault_of("\xff"
                          "ab2 1 1\nx"),
                 "version"));
  CHECK(mentions(fault_of("\xff"
                          "ab1 1\nx"),
                 "sequence"));
  CHECK(mentions(fault_of("\xff"
                          "abpxyz"),
                 "packed"));
  const reading read = read_entry(native(), {{"data", "x"}, {"actorbus", "nonsense"}});
  CHECK(mentions(read.fault, "version"));
  CHECK(read.events.empty());
}

TEST_CASE("a map is the flat fields of its entry, with a stamp behind them", "[native]") {
  const sample flat{
      .fields = {{"a", "1"}, {"data", ""}}, .content_type = "application/x-www-form-urlencoded", .origin = 7};
  CHECK(entry_of(native_flat(), flat) == pairs{{"a", "1"}, {"data", ""}, {"actorbus", "1 7 0"}});
  const sample back = read_entry(native_flat(), entry_of(native_flat(), flat)).one();
  CHECK(back.fields == flat.fields);
  CHECK(back.origin == 7);
  CHECK(read_entry(native_flat(), {{"data", "hello"}}).one().fields == pairs{{"data", "hello"}});
  CHECK(native_flat().entry_shape() == payload_shape::fields);
}

TEST_CASE("a map without fields, or with one that is named as the stamp, survives", "[native]") {
  for (const pairs& fields :
       {pairs{}, pairs{{"actorbus", "1 7 8"}}, pairs{{"actorbus", "text"}}, pairs{{"actorbus", "1 x"}, {"b", ""}}}) {
    const pairs entry = entry_of(native_flat(), sample{.fields = fields});
    CHECK_FALSE(entry.empty());
    const reading read = read_entry(native_flat(), entry);
    CHECK(read.fault.empty());
    CHECK(read.one().fields == fields);
    CHECK(read.one().origin == 0);
  }
  CHECK(mentions(read_entry(native_flat(), {{"a", "1"}, {"actorbus", "1 x 1"}}).fault, "origin"));
}

TEST_CASE("an event with too many headers is refused and leaves nothing written", "[native]") {
  sample s;
  for (int i = 0; i <= 1024; ++i) s.headers.set(std::to_string(i), "");
  const outgoing_samples events({&s, 1});
  std::string scratch;
  std::vector<field_view> fields(1);
  for (const wire_format* each : {&native(), &native_flat()}) {
    CHECK(error_of([&] { each->write_entry(events, scratch, fields); }) == errc::invalid_argument);
    CHECK(fields.empty());
    CHECK(error_of([&] { each->write_message(events, scratch); }) == errc::invalid_argument);
  }
}
