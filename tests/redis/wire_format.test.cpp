#include <bridges/redis/wire_format.hpp>

#include <map>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::redis;
using namespace actorbus::testing;

namespace {

constexpr format all[] = {format::native,   format::raw,    format::fields,
                          format::litestar, format::packed, format::watermill};

/// Each format for each shape that it takes.
std::vector<const wire_format*> every_format() {
  std::vector<const wire_format*> result;
  for (const format which : all) {
    result.push_back(&wire_format_of(which, payload_shape::fields));
    if (which != format::fields) result.push_back(&wire_format_of(which, payload_shape::bytes));
  }
  return result;
}

const wire_format& native() { return wire_format_of(format::native, payload_shape::bytes); }

}  // namespace

TEST_CASE("each format has a name and is what was asked for", "[formats]") {
  for (const format which : all) CHECK(wire_format_of(which, payload_shape::fields).kind() == which);
  CHECK(to_string(format::native) == "native");
  CHECK(to_string(format::watermill) == "watermill");
  CHECK(error_of([] { wire_format_of(static_cast<format>(200), payload_shape::bytes); }) == errc::invalid_argument);
}

TEST_CASE("a type has flat fields or bytes, and the format fields takes the first only", "[formats]") {
  STATIC_REQUIRE(shape_of<std::map<std::string, std::string>> == payload_shape::fields);
  STATIC_REQUIRE(shape_of<std::string> == payload_shape::bytes);
  CHECK(error_of([] { wire_format_of(format::fields, payload_shape::bytes); }) == errc::invalid_argument);
}

TEST_CASE("raw is the payload and nothing else", "[formats]") {
  const wire_format& raw = wire_format_of(format::raw, payload_shape::bytes);
  const sample told{.payload =
                        "\xff"
                        "ab1 0 0\n",
                    .headers = {{"a", "1"}},
                    .origin = 7};
  CHECK(entry_of(raw, told) == pairs{{"data", told.payload}});
  CHECK(message_of(raw, told) == told.payload);
  CHECK(read_entry(raw, {{"x", "1"}, {"data", "2"}}).one().payload == "2");
  CHECK(read_entry(raw, {{"x", "1"}}).one().payload == "1");
  CHECK(mentions(read_entry(raw, {{"x", "1"}, {"y", "2"}}).fault, "`data`"));
  CHECK_FALSE(read_entry(raw, {}).fault.empty());
}

TEST_CASE("fields are the fields and nothing else, and need one", "[formats]") {
  const wire_format& fields = wire_format_of(format::fields, payload_shape::fields);
  const sample told{.fields = {{"actorbus", "1 1 1"}, {"data", ""}}, .headers = {{"a", "1"}}, .origin = 7};
  CHECK(entry_of(fields, told) == told.fields);
  CHECK(read_entry(fields, told.fields).one().fields == told.fields);
  CHECK(error_of([&] { entry_of(fields, sample{}); }) == errc::invalid_argument);
  CHECK(message_of(fields, sample{.payload = "a=1"}) == "a=1");
}

TEST_CASE("a topic's key and channel are prefix and topic, and tell the topic", "[formats]") {
  CHECK(native().stream_key("app:", "orders.new") == "app:orders.new");
  CHECK(native().channel("app:", "orders.new") == "app:orders.new");
  CHECK(native().topic_of_key("app:", "app:orders.new") == "orders.new");
  CHECK(native().topic_of_channel("", "orders.new") == "orders.new");
  CHECK_FALSE(native().topic_of_key("app:", "app:"));
  CHECK_FALSE(native().topic_of_key("app:", "other:orders"));
  CHECK_FALSE(native().topic_of_channel("app:", "ap"));
}

TEST_CASE("a pattern becomes one of the server's that covers at least as much", "[formats]") {
  CHECK(native().channel_glob("app:", "orders.*.new") == "app:orders.*.new");
  CHECK(native().key_glob("app:", "orders.>") == "app:orders.*");
  CHECK(native().key_glob("a*p?[x]\\:", "or?ders.[1]") == "a\\*p\\?\\[x\\]\\\\:or\\?ders.\\[1\\]");
}

TEST_CASE("events by chance survive every format that carries them", "[formats]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_samples random(seed);
  for (int round = 0; round < 200; ++round) {
    const sample written = random.one();
    for (const wire_format* each : every_format()) {
      INFO(to_string(each->kind()) << ", round " << round);
      if (each->kind() == format::fields && written.fields.empty()) continue;
      const reading entry = read_entry(*each, entry_of(*each, written));
      REQUIRE(entry.fault.empty());
      const bool flat = each->entry_shape() == payload_shape::fields;
      CHECK((flat ? entry.one().fields == written.fields : entry.one().payload == written.payload));
      CHECK(entry.one().origin == (each->entries_carry_origin() ? written.origin : 0));
      CHECK(entry.one().origin_sequence == (each->entries_carry_origin() ? written.origin_sequence : 0));
      if (each->entries_carry_origin() && each->kind() != format::watermill) {
        CHECK(entry.one().headers == written.headers);
        if (!flat) CHECK(entry.one().content_type == written.content_type);
      }
      if (!each->has_messages()) continue;
      const reading message = read_message(*each, message_of(*each, written));
      REQUIRE(message.fault.empty());
      CHECK(message.one().payload == written.payload);
      CHECK(message.one().origin == (each->messages_carry_origin() ? written.origin : 0));
    }
  }
}

TEST_CASE("bytes by chance, and good ones with a byte changed or cut off, give events or a fault", "[formats]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  random_samples random(seed);
  const auto spoiled = [&](std::string text) {
    if (!text.empty() && random.below(2) == 0) text[random.below(text.size())] = static_cast<char>(random.number());
    if (random.below(2) == 0) text.resize(random.below(text.size() + 1));
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    const sample written = random.one();
    for (const wire_format* each : every_format()) {
      pairs entry = each->kind() == format::fields ? written.fields : entry_of(*each, written);
      for (auto& [name, value] : entry) {
        if (random.below(8) == 0) name = spoiled(name);
        value = spoiled(value);
      }
      const reading from_entry = read_entry(*each, entry);
      CHECK(from_entry.fault.empty() == !from_entry.events.empty());
      if (!each->has_messages()) continue;
      const reading from_message = read_message(*each, spoiled(message_of(*each, written)));
      CHECK(from_message.fault.empty() == !from_message.events.empty());
    }
  }
}

TEST_CASE("payloads of 64 MiB pass every format", "[formats]") {
  const sample huge{
      .payload = std::string(64 << 20, '\xff'), .fields = {{"f", std::string(64 << 20, '\n')}}, .origin = 7};
  for (const wire_format* each : every_format()) {
    INFO(to_string(each->kind()));
    const reading entry = read_entry(*each, entry_of(*each, huge));
    const bool flat = each->entry_shape() == payload_shape::fields;
    CHECK((flat ? entry.one().fields == huge.fields : entry.one().payload == huge.payload));
    if (each->has_messages()) CHECK((read_message(*each, message_of(*each, huge)).one().payload == huge.payload));
  }
}

TEST_CASE("what is read views into what it was read from, and reading again takes no memory", "[formats]") {
  const pairs entry = entry_of(native(), sample{.content_type = "application/json", .origin = 7});
  const std::vector<field_view> views = views_of(entry);
  std::vector<incoming> events;
  REQUIRE(native().read_entry(views, events) == nullptr);
  CHECK(events[0].payload.data() == entry[0].second.data());
  const auto* place = events.data();
  events.clear();
  REQUIRE(native().read_entry(views, events) == nullptr);
  CHECK(events.data() == place);
}
