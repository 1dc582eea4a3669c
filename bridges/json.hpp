// Lets every type with nlohmann-json's to_json and from_json leave the process, as JSON: application/json.
//
// Include it where a route of such a type is made. Types that have a codec of their own keep it. Text in a value must
// be UTF-8. Threads: any.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <bus/codec.hpp>
#include <bus/errors.hpp>

namespace actorbus {

namespace core {

/// Deeper JSON is refused: reading, writing and destroying it takes a stack frame a level.
inline constexpr std::size_t max_json_depth = 256;

/// How deep arrays and objects nest in `text`, whether it is JSON or not.
inline std::size_t json_depth(std::string_view text) noexcept {
  std::size_t depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = ++depth > deepest ? depth : deepest;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace core

template <class T>
concept json_convertible = requires(nlohmann::json& json, const nlohmann::json& from, const T& value) {
  json = value;
  { from.template get<T>() } -> std::same_as<T>;
};

template <json_convertible T>
struct codec<T> {
  static constexpr std::string_view content_type = "application/json";

  /// Throws errc::invalid_argument for a value that JSON cannot hold: text that is not UTF-8.
  static void encode(const T& value, std::string& to) {
    try {
      to += nlohmann::json(value).dump();
    } catch (const nlohmann::json::exception& error) {
      throw bus_error(errc::invalid_argument, std::string("cannot be written as JSON: ") + error.what());
    }
  }

  static T decode(std::string_view from) {
    if (core::json_depth(from) > core::max_json_depth) {
      throw bus_error(errc::decode_failed,
                      "JSON nested deeper than " + std::to_string(core::max_json_depth) + " levels");
    }
    try {
      return nlohmann::json::parse(from).template get<T>();
    } catch (const bus_error&) {
      throw;
    } catch (const std::exception& error) {  // also whatever a from_json throws
      throw bus_error(errc::decode_failed, std::string("not the JSON expected: ") + error.what());
    }
  }
};

}  // namespace actorbus
