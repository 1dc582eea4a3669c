#include <bridges/redis/wire_format.hpp>

#include <bridges/redis/formats.hpp>
#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

std::optional<std::string_view> without(std::string_view prefix, std::string_view name) noexcept {
  if (!name.starts_with(prefix) || name.size() == prefix.size()) return std::nullopt;
  return name.substr(prefix.size());
}

std::string joined(std::string_view prefix, std::string_view topic) {
  std::string name(prefix);
  return name += topic;
}

/// Takes the characters that mean something in a pattern of the server literally.
void append_literally(std::string_view text, std::string& to) {
  for (const char byte : text) {
    if (byte == '*' || byte == '?' || byte == '[' || byte == ']' || byte == '\\') to += '\\';
    to += byte;
  }
}

}  // namespace

// Neither switch has a default, so that the compiler reports a format added and forgotten here.
std::string_view to_string(format which) noexcept {
  switch (which) {
    case format::native:
      return "native";
    case format::raw:
      return "raw";
    case format::fields:
      return "fields";
    case format::litestar:
      return "litestar";
    case format::packed:
      return "packed";
    case format::watermill:
      return "watermill";
  }
  return "unknown";
}

const wire_format& wire_format_of(format which, payload_shape shape) {
  switch (which) {
    case format::native:
      return native_format(shape);
    case format::raw:
      return raw_format();
    case format::fields:
      if (shape != payload_shape::fields) {
        throw bus_error(
            errc::invalid_argument,
            "the format `fields` is for types with flat fields, such as std::map<std::string, std::string>; "
            "for others take `native` or `raw`");
      }
      return fields_format();
    case format::litestar:
      return litestar_format();
    case format::packed:
      return packed_format();
    case format::watermill:
      return watermill_format();
  }
  throw bus_error(errc::invalid_argument, "not a format: " + std::to_string(static_cast<int>(which)));
}

void require_headers(const outgoing& event) {
  if (event.headers == nullptr || event.headers->size() <= max_headers) return;
  throw bus_error(errc::invalid_argument, "an event of " + core::quoted(event.topic) + " has " +
                                              std::to_string(event.headers->size()) +
                                              " headers; at most 1024 leave the process");
}

std::size_t wire_format::count_entry(std::span<const field_view>) const noexcept { return 1; }

std::string wire_format::stream_key(std::string_view prefix, std::string_view topic) const {
  return joined(prefix, topic);
}

std::string wire_format::channel(std::string_view prefix, std::string_view topic) const {
  return joined(prefix, topic);
}

std::optional<std::string_view> wire_format::topic_of_key(std::string_view prefix,
                                                          std::string_view key) const noexcept {
  return without(prefix, key);
}

std::optional<std::string_view> wire_format::topic_of_channel(std::string_view prefix,
                                                              std::string_view channel) const noexcept {
  return without(prefix, channel);
}

std::string glob_of(std::string_view prefix, std::string_view pattern) {
  std::string glob;
  append_literally(prefix, glob);
  for (bool first = true; !pattern.empty(); first = false) {
    if (!first) glob += '.';
    const std::string_view token = core::take_token(pattern);
    if (token == "*" || token == ">") {
      glob += '*';
    } else {
      append_literally(token, glob);
    }
  }
  return glob;
}

std::string wire_format::key_glob(std::string_view prefix, std::string_view pattern) const {
  return glob_of(prefix, pattern);
}

std::string wire_format::channel_glob(std::string_view prefix, std::string_view pattern) const {
  return glob_of(prefix, pattern);
}

}  // namespace actorbus::redis
