#include <regex>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

const wire_format& watermill() { return wire_format_of(format::watermill, payload_shape::bytes); }

const sample told{.headers = {{"foo", "bar"}}, .origin = 0x0123456789abcdef, .origin_sequence = 5};

}  // namespace

TEST_CASE("a watermill entry has a UUID, metadata in MessagePack and the payload", "[watermill]") {
  CHECK(entry_of(watermill(), told) == pairs{{"_watermill_message_uuid", "01234567-89ab-8def-8000-000000000005"},
                                             {"metadata",
                                              "\x81\xa3"
                                              "foo\xa3"
                                              "bar"},
                                             {"payload", "hello"},
                                             {"actorbus", "1 123456789abcdef 5"}});
  const sample back = read_entry(watermill(), entry_of(watermill(), told)).one();
  CHECK(back.payload == "hello");
  CHECK(back.headers == told.headers);
  CHECK(back.origin == told.origin);
  CHECK(back.origin_sequence == 5);
}

TEST_CASE("an event without headers has empty metadata", "[watermill]") {
  const pairs entry = entry_of(watermill(), sample{.content_type = "application/json", .origin = 1});
  CHECK(entry.at(1) == std::pair<std::string, std::string>("metadata", ""));
  CHECK(read_entry(watermill(), entry).one().headers.empty());
  CHECK(read_entry(watermill(), entry).one().content_type == "application/json");
}

TEST_CASE("each event has a UUID of its own, the same each time it is sent", "[watermill]") {
  const auto uuid = [](std::uint64_t origin, std::uint64_t sequence) {
    return entry_of(watermill(), sample{.origin = origin, .origin_sequence = sequence}).at(0).second;
  };
  const std::regex version_8("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (const std::uint64_t origin : {std::uint64_t{1}, ~std::uint64_t{0}}) {
    for (const std::uint64_t sequence : {std::uint64_t{0}, ~std::uint64_t{0}}) {
      CHECK(std::regex_match(uuid(origin, sequence), version_8));
    }
  }
  CHECK(uuid(7, 8) == uuid(7, 8));
  CHECK(uuid(7, 8) != uuid(7, 9));
  CHECK(uuid(7, 8) != uuid(8, 8));
}

TEST_CASE("the UUID of a foreign message is a header, and stays when the event goes out again", "[watermill]") {
  const pairs foreign{{"payload", "hi"},
                      {"_watermill_message_uuid", "b6a5e5a2"},
                      {"metadata",
                       "\x81\xa1"
                       "a\xa1"
                       "1"}};
  const sample event = read_entry(watermill(), foreign).one();
  CHECK(event.payload == "hi");
  CHECK(event.headers == headers{{"a", "1"}, {"_watermill_message_uuid", "b6a5e5a2"}});
  const pairs again = entry_of(watermill(), event);
  CHECK(again == pairs{{"_watermill_message_uuid", "b6a5e5a2"},
                       {"metadata",
                        "\x81\xa1"
                        "a\xa1"
                        "1"},
                       {"payload", "hi"}});
  const pairs only_uuid = entry_of(watermill(), sample{.headers = {{"_watermill_message_uuid", "u"}}});
  CHECK(only_uuid.at(1).second.empty());
  CHECK(entry_of(watermill(), sample{}).at(0).second.empty());
}

TEST_CASE("a watermill entry needs a UUID, may lack the rest, and its metadata must be right", "[watermill]") {
  CHECK(read_entry(watermill(), {{"payload", "x"}}).fault == "it has no field `_watermill_message_uuid`");
  CHECK(read_entry(watermill(), {{"_watermill_message_uuid", ""}}).one().payload.empty());
  CHECK(read_entry(watermill(), {{"_watermill_message_uuid", ""}}).one().headers.empty());
  const reading bad = read_entry(watermill(), {{"_watermill_message_uuid", "u"}, {"metadata", "\x81"}});
  CHECK(mentions(bad.fault, "metadata"));
  CHECK(bad.events.empty());
}

TEST_CASE("a UUID among the headers of a watermill entry is not believed", "[watermill]") {
  const pairs entry{{"_watermill_message_uuid", ""},
                    {"metadata",
                     "\x81\xb7_watermill_message_uuid\xa1"
                     "x"},
                    {"actorbus", "1 1 1 _watermill_message_uuid=y"}};
  CHECK(read_entry(watermill(), entry).one().headers.empty());
}

TEST_CASE("watermill has streams only, and the topic is the key", "[watermill]") {
  CHECK_FALSE(watermill().has_messages());
  CHECK(error_of([] { message_of(watermill(), sample{}); }) == errc::unsupported);
  CHECK(mentions(read_message(watermill(), "x").fault, "streams only"));
  CHECK(watermill().stream_key("", "orders") == "orders");
}
