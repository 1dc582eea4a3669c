#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

const wire_format& litestar() { return wire_format_of(format::litestar, payload_shape::bytes); }

}  // namespace

TEST_CASE("a litestar stream's key is prefix, underscore and channel in upper case", "[litestar]") {
  CHECK(litestar().stream_key("LITESTAR_CHANNELS", "orders.new-1") == "LITESTAR_CHANNELS_ORDERS.NEW-1");
  CHECK(litestar().stream_key("", "a") == "_A");
  CHECK_FALSE(litestar().topic_of_key("LITESTAR_CHANNELS", "LITESTAR_CHANNELS_ORDERS"));
  CHECK(error_of([] { litestar().stream_key("p", "caf\xc3\xa9"); }) == errc::invalid_argument);
}

TEST_CASE("a litestar channel is the topic as it is, under any prefix", "[litestar]") {
  CHECK(litestar().channel("LITESTAR_CHANNELS", "orders.Caf\xc3\xa9") == "orders.Caf\xc3\xa9");
  CHECK(litestar().topic_of_channel("LITESTAR_CHANNELS", "orders") == "orders");
  CHECK_FALSE(litestar().topic_of_channel("LITESTAR_CHANNELS", ""));
}

TEST_CASE("litestar's patterns cover its keys and channels", "[litestar]") {
  CHECK(litestar().key_glob("P?", "orders.*.>") == "P\\?_ORDERS.*.*");
  CHECK(litestar().key_glob("P", "caf\xc3\xa9.x") == "P_CAF*.X");
  CHECK(litestar().channel_glob("P", "orders.>") == "orders.*");
}

TEST_CASE("what Litestar adds to a stream is an event of the channel it names", "[litestar]") {
  const reading read = read_entry(litestar(), {{"data", "{}"}, {"channel", "Orders"}});
  CHECK(read.one().payload == "{}");
  CHECK(read.one().topic == "Orders");
  CHECK(read_entry(litestar(), {{"data", "{}"}}).one().topic.empty());
  CHECK(read_entry(litestar(), {{"channel", "x"}}).fault == "it has no field `data`");
}

TEST_CASE("a litestar entry has data and channel, which Litestar needs, before anything else", "[litestar]") {
  CHECK(entry_of(litestar(), sample{}) == pairs{{"data", "hello"}, {"channel", "orders.created"}});
  const pairs entry = entry_of(litestar(), sample{.origin = 7, .origin_sequence = 8});
  CHECK(entry == pairs{{"data", "hello"}, {"channel", "orders.created"}, {"actorbus", "1 7 8"}});
  CHECK(read_entry(litestar(), entry).one().origin_sequence == 8);
  CHECK(litestar().entries_carry_origin());
}

TEST_CASE("a litestar message is the payload alone", "[litestar]") {
  const sample s{.payload =
                     "\xff"
                     "ab1 0 0\nx",
                 .headers = {{"a", "1"}},
                 .origin = 7};
  CHECK(message_of(litestar(), s) == s.payload);
  CHECK(read_message(litestar(), s.payload).one().payload == s.payload);
  CHECK_FALSE(litestar().messages_carry_origin());
}
