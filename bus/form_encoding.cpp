#include <bus/form_encoding.hpp>

#include <algorithm>

namespace actorbus {

namespace {

bool stays(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '*' ||
         byte == '-' || byte == '.' || byte == '_';
}

/// The value of a hexadecimal digit, or -1.
int digit(char byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

}  // namespace

void append_form_text(std::string& to, std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (const char byte : text) {
    if (stays(byte)) {
      to += byte;
    } else if (byte == ' ') {
      to += '+';
    } else {
      const auto value = static_cast<unsigned char>(byte);
      to += {'%', digits[value >> 4], digits[value & 0xf]};
    }
  }
}

void append_form_pair(std::string& to, std::string_view name, std::string_view text, bool first) {
  if (!first) to += '&';
  append_form_text(to, name);
  to += '=';
  append_form_text(to, text);
}

bool form_reader::next(std::string& name, std::string& text) {
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find('&'), rest_.size());
    const std::string_view part = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (part.empty()) continue;
    const std::size_t sign = std::min(part.find('='), part.size());
    return decode(part.substr(0, sign), name) && decode(part.substr(std::min(sign + 1, part.size())), text);
  }
  return false;
}

bool form_reader::decode(std::string_view from, std::string& to) {
  to.clear();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != '%') {
      to += from[i] == '+' ? ' ' : from[i];
      continue;
    }
    const int high = i + 2 < from.size() ? digit(from[i + 1]) : -1;
    const int low = high >= 0 ? digit(from[i + 2]) : -1;
    if (low < 0) {
      fault_ = "a `%` is not followed by two hexadecimal digits";
      rest_ = {};
      return false;
    }
    to += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

}  // namespace actorbus
