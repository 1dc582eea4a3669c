// Written after litestar/channels/backends/redis.py and its scripts, https://github.com/litestar-org/litestar.
#include <algorithm>

#include <bridges/redis/data_entry.hpp>
#include <bridges/redis/formats.hpp>
#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

bool is_ascii(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x80; }

char upper(char byte) noexcept { return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte; }

/// As Python's str.upper() for ASCII. What that makes of other letters, the server's pattern leaves open: `*`.
std::string upper_pattern(std::string_view pattern) {
  std::string result;
  for (const char byte : pattern) {
    if (is_ascii(byte)) {
      result += upper(byte);
    } else if (!result.ends_with('*')) {
      result += '*';
    }
  }
  return result;
}

class litestar final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::litestar; }
  bool entries_carry_origin() const noexcept override { return true; }
  bool messages_carry_origin() const noexcept override { return false; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    write_data_entry(events.front(), scratch, to);
  }
  std::string_view write_message(std::span<const outgoing> events, std::string&) const override {
    return events.front().payload;
  }
  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    return read_data_entry(fields, channel_field::is_topic, to);
  }
  fault read_message(std::string_view message, std::vector<incoming>& to) const override {
    to.emplace_back().payload = message;
    return nullptr;
  }

  std::string stream_key(std::string_view prefix, std::string_view topic) const override {
    if (!std::all_of(topic.begin(), topic.end(), is_ascii)) {
      throw bus_error(errc::invalid_argument,
                      "Litestar's stream of " + core::quoted(topic) +
                          " has no name here: it is the topic in upper case, and only ASCII letters are known; "
                          "take a topic name in ASCII, or pub/sub, where names stay as they are");
    }
    std::string key(prefix);
    key += '_';
    std::transform(topic.begin(), topic.end(), std::back_inserter(key), upper);
    return key;
  }
  std::string channel(std::string_view, std::string_view topic) const override { return std::string(topic); }

  std::optional<std::string_view> topic_of_key(std::string_view, std::string_view) const noexcept override {
    return std::nullopt;
  }
  std::optional<std::string_view> topic_of_channel(std::string_view, std::string_view channel) const noexcept override {
    return channel.empty() ? std::nullopt : std::optional(channel);
  }

  std::string key_glob(std::string_view prefix, std::string_view pattern) const override {
    std::string glob = glob_of(prefix, {}) + '_';
    return glob += upper_pattern(glob_of({}, pattern));
  }
  std::string channel_glob(std::string_view, std::string_view pattern) const override { return glob_of({}, pattern); }
};

}  // namespace

const wire_format& litestar_format() {
  static const litestar self;
  return self;
}

}  // namespace actorbus::redis
