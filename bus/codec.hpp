// How a payload type becomes bytes, for what leaves the process: codec<T>. A type that never crosses needs none.
//
// Here: std::string, std::vector<std::byte> and std::vector<std::uint8_t> as they are, and
// std::map<std::string, std::string> as the flat fields of a stream's entry, elsewhere as form encoding
// (bus/form_encoding.hpp). For types with nlohmann-json's to_json and from_json include bridges/json.hpp. For others
// specialise it, where the type is known to all who use it:
//
//   template <>
//   struct actorbus::codec<pose> {
//     static constexpr std::string_view content_type = "application/x-pose";
//     static void encode(const pose& value, std::string& to);  // appends
//     static pose decode(std::string_view from);               // throws bus_error(errc::decode_failed, "what is
//     wrong")
//   };
//
// Threads: codecs are called from several at once.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actorbus {

template <class T>
struct codec;

/// One flat field of an entry, borrowed.
struct field_view {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const field_view&, const field_view&) = default;
};

/// Whether T can leave the process.
template <class T>
concept has_codec = requires(const T& value, std::string& to, std::string_view from) {
  { codec<T>::content_type } -> std::convertible_to<std::string_view>;
  codec<T>::encode(value, to);
  { codec<T>::decode(from) } -> std::same_as<T>;
};

/// Whether T can also travel as flat fields: `encode_fields` appends views into the value, which must stay;
/// `decode_fields` throws as `decode` does.
template <class T>
concept has_field_codec = has_codec<T> &&
    requires(const T& value, std::vector<field_view>& to, std::span<const field_view> from) {
  codec<T>::encode_fields(value, to);
  { codec<T>::decode_fields(from) } -> std::same_as<T>;
};

/// Refuses to compile for a T that cannot leave the process, and says what to do.
template <class T>
consteval void require_codec() {
  static_assert(has_codec<T>,
                "this type cannot leave the process, it has no codec: either give it to_json and from_json "
                "(NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE) and #include <bridges/json.hpp>, or specialise "
                "actorbus::codec<T> as shown in <bus/codec.hpp>");
}

template <>
struct codec<std::string> {
  static constexpr std::string_view content_type = "application/octet-stream";
  static void encode(const std::string& value, std::string& to) { to += value; }
  static std::string decode(std::string_view from) { return std::string(from); }
};

template <>
struct codec<std::vector<std::byte>> {
  static constexpr std::string_view content_type = "application/octet-stream";
  static void encode(const std::vector<std::byte>& value, std::string& to);
  static std::vector<std::byte> decode(std::string_view from);
};

template <>
struct codec<std::vector<std::uint8_t>> {
  static constexpr std::string_view content_type = "application/octet-stream";
  static void encode(const std::vector<std::uint8_t>& value, std::string& to);
  static std::vector<std::uint8_t> decode(std::string_view from);
};

/// Of a name given twice the last text stays.
template <>
struct codec<std::map<std::string, std::string>> {
  using fields = std::map<std::string, std::string>;
  static constexpr std::string_view content_type = "application/x-www-form-urlencoded";
  static void encode(const fields& value, std::string& to);
  static fields decode(std::string_view from);
  static void encode_fields(const fields& value, std::vector<field_view>& to);
  static fields decode_fields(std::span<const field_view> from);
};

}  // namespace actorbus
