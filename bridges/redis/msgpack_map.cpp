#include <bridges/redis/msgpack_map.hpp>

#include <cstdint>

namespace actorbus::redis {

namespace {

constexpr fault cut_short = "its metadata ends in the middle of a map";

void append_big_endian(std::size_t value, int bytes, std::string& to) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to += static_cast<char>((value >> shift) & 0xff);
}

void append_text(std::string_view text, std::string& to) {
  if (text.size() < 32) {
    to += static_cast<char>(0xa0 | text.size());
  } else if (text.size() <= 0xff) {
    append_big_endian(0xd900 | text.size(), 2, to);
  } else if (text.size() <= 0xffff) {
    append_big_endian(0xda0000 | text.size(), 3, to);
  } else {
    to += '\xdb';
    append_big_endian(text.size(), 4, to);
  }
  to += text;
}

/// Takes a number of `bytes` bytes off `from`; false if it is shorter.
bool take_big_endian(std::string_view& from, std::size_t bytes, std::size_t& to) noexcept {
  if (from.size() < bytes) return false;
  to = 0;
  for (const char byte : from.substr(0, bytes)) to = to << 8 | static_cast<unsigned char>(byte);
  from.remove_prefix(bytes);
  return true;
}

/// How many bytes of length follow a text's first byte; -1 if it begins no text.
int text_length_bytes(unsigned char first) noexcept {
  switch (first) {
    case 0xc4:
    case 0xd9:
      return 1;
    case 0xc5:
    case 0xda:
      return 2;
    case 0xc6:
    case 0xdb:
      return 4;
    default:
      return -1;
  }
}

fault take_text(std::string_view& from, std::string_view& to) noexcept {
  std::size_t first = 0, size = 0;
  if (!take_big_endian(from, 1, first)) return cut_short;
  if ((first & 0xe0) == 0xa0) {
    size = first & 0x1f;
  } else if (first != 0xc0) {
    const int bytes = text_length_bytes(static_cast<unsigned char>(first));
    if (bytes < 0) return "its metadata holds something other than texts";
    if (!take_big_endian(from, static_cast<std::size_t>(bytes), size)) return cut_short;
  }
  if (from.size() < size) return cut_short;
  to = from.substr(0, size);
  from.remove_prefix(size);
  return nullptr;
}

fault take_map_size(std::string_view& from, std::size_t& size) noexcept {
  std::size_t first = 0;
  if (!take_big_endian(from, 1, first)) return cut_short;
  size = first & 0x0f;
  if ((first & 0xf0) == 0x80) return nullptr;
  if (first == 0xc0) return size = 0, nullptr;
  if (first != 0xde && first != 0xdf) return "its metadata is no map in MessagePack";
  return take_big_endian(from, first == 0xde ? 2 : 4, size) ? nullptr : cut_short;
}

}  // namespace

void append_msgpack_map(const actorbus::headers& headers, std::string_view except, std::string& to) {
  const std::size_t size = headers.size() - (headers.contains(except) ? 1 : 0);
  if (size < 16) {
    to += static_cast<char>(0x80 | size);
  } else {  // max_headers fit into 16 bits
    append_big_endian(0xde0000 | size, 3, to);
  }
  for (const auto& [name, text] : headers) {
    if (name == except) continue;
    append_text(name, to);
    append_text(text, to);
  }
}

fault read_msgpack_map(std::string_view from, actorbus::headers& to) {
  std::size_t size = 0;
  if (const fault wrong = take_map_size(from, size)) return wrong;
  if (size > max_headers) return "its metadata claims more than 1024 pairs";
  for (; size > 0; --size) {
    std::string_view name, text;
    if (const fault wrong = take_text(from, name)) return wrong;
    if (const fault wrong = take_text(from, text)) return wrong;
    to.set(std::string(name), std::string(text));
  }
  return from.empty() ? nullptr : "something stands behind the map of its metadata";
}

}  // namespace actorbus::redis
