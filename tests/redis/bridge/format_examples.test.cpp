// The examples of FORMAT.md, typed into redis-cli as they stand there, and read by a bridge.
#include <fstream>
#include <ostream>
#include <set>
#include <stdexcept>

#include <bridges/redis/past_entries.hpp>

#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/piped_child.hpp"
#include "tests/redis/stored.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using flat = std::map<std::string, std::string>;

namespace {

/// The commands of its ```redis blocks, by the section they are in.
std::map<std::string, std::vector<std::string>> commands_of_format_md() {
  std::map<std::string, std::vector<std::string>> result;
  std::ifstream from(ACTORBUS_FORMAT_MD);
  std::string section;
  bool is_inside = false;
  for (std::string line; std::getline(from, line);) {
    if (line.starts_with("## ")) section = line.substr(3);
    if (line.starts_with("```")) is_inside = line == "```redis";
    if (is_inside && line.starts_with("> ")) result[section].push_back(line.substr(2));
  }
  return result;
}

void type_examples(const redis_server& server, const std::string& section) {
  piped_child cli({find_program("redis-cli"), "-s", server.unix_socket()});
  const auto commands = commands_of_format_md();
  for (const auto& each : commands.at(section)) cli.say(each);
  REQUIRE(cli.finish().second == 0);
}

/// What an event is read as. An origin that is not told is `foreign`, a content type that is not told is empty.
struct example {
  std::string payload;
  pairs with = {};
  std::uint64_t origin = redis::foreign_origin;
  std::uint64_t origin_sequence = 0;
  std::string content_type = {};

  friend bool operator==(const example&, const example&) = default;
  friend std::ostream& operator<<(std::ostream& to, const example& what) {
    to << what.payload << " from " << what.origin << " #" << what.origin_sequence << " as " << what.content_type;
    for (const auto& [name, text] : what.with) to << ", " << name << " = " << text;
    return to;
  }
};
using examples = std::vector<example>;

constexpr std::uint64_t told_origin = 0x9f86d081884c7d65;

template <class T>
example example_of(const event<T>& from) {
  example result{{}, {}, from.origin(), from.origin_sequence()};
  codec<T>::encode(*from, result.payload);
  for (const auto& [name, text] : from.headers()) {
    if (name != "redis.id") result.with.emplace_back(name, text);
  }
  return result;
}

/// What no event tells a handler, by the reader of the format alone.
void add_content_types(examples& to, const std::vector<sample>& from) {
  REQUIRE(to.size() == from.size());
  for (std::size_t i = 0; i < to.size(); ++i) to[i].content_type = from[i].content_type;
}

/// A program that was there before the examples.
template <class T>
class example_reader {
 public:
  example_reader(const redis_server& server, std::string prefix, std::string topic, redis::format as)
      : redis_(bus_, {.uri = server.uri(), .prefix = std::move(prefix)}),
        topic_(std::move(topic)),
        as_(redis::wire_format_of(as, redis::shape_of<T>)),
        client_(server) {}

 protected:
  examples read_events(std::size_t count) {
    examples result;
    while (result.size() < count) {
      const auto one = in_.next(patience);
      if (!one) break;
      result.push_back(example_of(*one));
    }
    return result;
  }

  actorbus::bus bus_;
  redis::bridge redis_;
  const std::string topic_;
  const redis::wire_format& as_;
  redis_client client_;
  inbox<T> in_ = bus_.topic<T>(topic_).inbox();
};

template <class T>
class entry_reader : example_reader<T> {
 public:
  entry_reader(const redis_server& server, const std::string& prefix, const std::string& topic, redis::format as)
      : example_reader<T>(server, prefix, topic, as), key_(this->as_.stream_key(prefix, topic)) {
    this->redis_.template stream<T>(topic, {.from = replay::all(), .direction = redis::direction::in, .format = as});
    REQUIRE(this->redis_.wait_ready(patience));
  }

  /// As they came, and as its history.
  examples read(std::size_t count) {
    examples came = this->read_events(count);
    examples past;
    for (const auto& each : this->redis_.template history<T>(this->topic_, 100)) past.push_back(example_of(each));
    CHECK(came == past);
    std::vector<sample> stored;
    const auto found = this->client_.run("XRANGE", key_, "-", "+");
    for (const auto& entry : found.list()) {
      const auto words = entry[1].texts();
      pairs fields;
      for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields.emplace_back(words[i], words[i + 1]);
      for (const auto& each : read_entry(this->as_, fields).events) stored.push_back(each);
    }
    add_content_types(came, stored);
    return came;
  }

 private:
  const std::string key_;
};

template <class T>
class message_reader : example_reader<T> {
 public:
  message_reader(const redis_server& server, const std::string& prefix, const std::string& topic, redis::format as)
      : example_reader<T>(server, prefix, topic, as) {
    this->redis_.template pubsub<T>(topic, {.direction = redis::direction::in, .format = as});
    REQUIRE(this->redis_.wait_ready(patience));
    this->client_.send({"SUBSCRIBE", this->as_.channel(prefix, topic)});
    this->client_.read();
  }

  examples read(std::size_t count) {
    examples came = this->read_events(count);
    std::vector<sample> sent;
    while (sent.size() < came.size()) {
      const std::string message = this->client_.read()[2].text();
      for (const auto& each : read_message(this->as_, message).events) sent.push_back(each);
    }
    add_content_types(came, sent);
    return came;
  }
};

}  // namespace

TEST_CASE("each example of FORMAT.md belongs to a format that is read here, or to the dead letters",
          "[redis][examples]") {
  std::set<std::string> sections;
  for (const auto& [section, commands] : commands_of_format_md()) sections.insert(section);
  CHECK(sections ==
        std::set<std::string>{"native", "raw", "fields", "litestar", "packed", "watermill", "Dead letters"});
}

TEST_CASE("FORMAT.md's examples of native are read as they are told there", "[redis][examples]") {
  const redis_server server;
  entry_reader<std::string> orders(server, "app:", "orders", redis::format::native);
  entry_reader<flat> lamps(server, "app:", "lamps", redis::format::native);
  message_reader<std::string> heard(server, "app:", "orders", redis::format::native);
  type_examples(server, "native");
  const examples two{{"hello"}, {"hello", {{"source", "odometry"}}, told_origin, 1042, "application/json"}};
  CHECK(orders.read(2) == two);
  CHECK(heard.read(2) == two);
  CHECK(lamps.read(1) == examples{{"name=desk&state=on", {}, told_origin, 1}});
}

TEST_CASE("FORMAT.md's example of raw is read as it is told there", "[redis][examples]") {
  const redis_server server;
  entry_reader<std::string> orders(server, "app:", "raw", redis::format::raw);
  type_examples(server, "raw");
  CHECK(orders.read(1) == examples{{"hello"}});
}

TEST_CASE("FORMAT.md's examples of fields are read as they are told there", "[redis][examples]") {
  const redis_server server;
  entry_reader<flat> things(server, "app:", "things", redis::format::fields);
  message_reader<flat> heard(server, "app:", "things", redis::format::fields);
  type_examples(server, "fields");
  CHECK(things.read(1) == examples{{"name=lamp&price=12"}});
  CHECK(heard.read(1) == examples{{"name=lamp&price=12"}});
}

TEST_CASE("FORMAT.md's examples of litestar are read as they are told there", "[redis][examples]") {
  const redis_server server;
  entry_reader<std::string> orders(server, "LITESTAR_CHANNELS", "orders", redis::format::litestar);
  message_reader<std::string> heard(server, "LITESTAR_CHANNELS", "orders", redis::format::litestar);
  type_examples(server, "litestar");
  CHECK(orders.read(2) == examples{{R"({"id":7})"}, {R"({"id":8})", {}, told_origin, 1042, "application/json"}});
  CHECK(heard.read(1) == examples{{R"({"id":7})"}});
}

TEST_CASE("FORMAT.md's examples of packed are read as they are told there", "[redis][examples]") {
  const redis_server server;
  entry_reader<std::string> fast(server, "app:", "fast", redis::format::packed);
  message_reader<std::string> heard(server, "app:", "fast", redis::format::packed);
  type_examples(server, "packed");
  const examples three{{"1", {}, told_origin, 1042, "application/json"},
                       {"23", {}, told_origin, 1043, "application/json"},
                       {"4", {{"source", "odometry"}}, told_origin, 1044, "application/json"}};
  CHECK(fast.read(3) == three);
  CHECK(heard.read(3) == three);
}

TEST_CASE("FORMAT.md's example of watermill is read as it is told there", "[redis][examples]") {
  const redis_server server;
  entry_reader<std::string> orders(server, "", "orders", redis::format::watermill);
  type_examples(server, "watermill");
  CHECK(orders.read(1) == examples{{"hello", {{"source", "odometry"}}, told_origin, 1042}});
}

TEST_CASE("FORMAT.md's example of a dead letter is read as it is told there, and put back as it was",
          "[redis][examples]") {
  const redis_server server;
  process a(server, {.prefix = "app:"});
  a.redis.stream<std::string>("orders.dead", {.direction = redis::direction::in});
  REQUIRE(a.redis.wait_ready(patience));
  type_examples(server, "Dead letters");
  const auto letters = a.redis.history<std::string>("orders.dead", 10);
  REQUIRE(letters.size() == 1);
  const pairs told{
      {"dead_letter.topic", "orders"},          {"dead_letter.stream", "app:orders"}, {"dead_letter.id", "7-0"},
      {"dead_letter.group", "billing"},         {"dead_letter.consumer", "b1"},       {"dead_letter.attempts", "5"},
      {"dead_letter.error", "no such customer"}};
  CHECK(example_of(letters[0]) == example{"hello", told});
  CHECK(a.redis.redrive("orders.dead") == 1);
  const auto back = a.redis.history<std::string>("orders", 10);
  REQUIRE(back.size() == 1);
  CHECK(example_of(back[0]) == example{"hello", {}, told_origin, 1042});
}
