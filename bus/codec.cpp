#include <bus/codec.hpp>

#include <utility>

#include <bus/errors.hpp>
#include <bus/form_encoding.hpp>

namespace actorbus {

namespace {

template <class Byte>
void append_bytes(const std::vector<Byte>& value, std::string& to) {
  if (!value.empty()) to.append(reinterpret_cast<const char*>(value.data()), value.size());
}

template <class Byte>
std::vector<Byte> bytes_of(std::string_view from) {
  const auto* first = reinterpret_cast<const Byte*>(from.data());
  return {first, first + from.size()};
}

}  // namespace

void codec<std::vector<std::byte>>::encode(const std::vector<std::byte>& value, std::string& to) {
  append_bytes(value, to);
}

std::vector<std::byte> codec<std::vector<std::byte>>::decode(std::string_view from) {
  return bytes_of<std::byte>(from);
}

void codec<std::vector<std::uint8_t>>::encode(const std::vector<std::uint8_t>& value, std::string& to) {
  append_bytes(value, to);
}

std::vector<std::uint8_t> codec<std::vector<std::uint8_t>>::decode(std::string_view from) {
  return bytes_of<std::uint8_t>(from);
}

void codec<std::map<std::string, std::string>>::encode(const fields& value, std::string& to) {
  bool first = true;
  for (const auto& [name, text] : value) append_form_pair(to, name, text, std::exchange(first, false));
}

std::map<std::string, std::string> codec<std::map<std::string, std::string>>::decode(std::string_view from) {
  fields value;
  form_reader reader(from);
  for (std::string name, text; reader.next(name, text);) value.insert_or_assign(std::move(name), std::move(text));
  if (reader.fault() != nullptr) {
    throw bus_error(errc::decode_failed,
                    std::string("not fields in form encoding, as `name=text&other=text`: ") + reader.fault());
  }
  return value;
}

void codec<std::map<std::string, std::string>>::encode_fields(const fields& value, std::vector<field_view>& to) {
  for (const auto& [name, text] : value) to.push_back({name, text});
}

std::map<std::string, std::string> codec<std::map<std::string, std::string>>::decode_fields(
    std::span<const field_view> from) {
  fields value;
  for (const field_view& field : from) value.insert_or_assign(std::string(field.name), std::string(field.value));
  return value;
}

}  // namespace actorbus
