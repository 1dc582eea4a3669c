#include <bridges/redis/stamp.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <bus/errors.hpp>
#include <bus/form_encoding.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

bool is_control(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

bool tells_content_type(const outgoing& event) noexcept {
  return !event.content_type.empty() && event.content_type != default_content_type;
}

void append_headers(const actorbus::headers& headers, std::string& to) {
  bool first = true;
  for (const auto& [name, text] : headers) append_form_pair(to, name, text, std::exchange(first, false));
}

/// Cuts the next word and its space off.
std::string_view take_word(std::string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

bool parse_number(std::string_view word, int base, std::uint64_t& to) noexcept {
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, to, base);
  return error == std::errc{} && stop == end;
}

/// `<sequence>[+<step>]`
bool parse_sequence(std::string_view word, incoming& to) noexcept {
  const std::size_t plus = word.find('+');
  if (!parse_number(word.substr(0, plus), 10, to.origin_sequence)) return false;
  return plus == word.npos || parse_number(word.substr(plus + 1), 10, to.step);
}

fault read_headers(std::string_view from, actorbus::headers& to) {
  form_reader reader(from);
  for (std::string name, text; reader.next(name, text);) {
    if (to.size() == max_headers) return "its stamp has more than 1024 headers";
    to.set(std::move(name), std::move(text));
  }
  return reader.fault() == nullptr ? nullptr : "in the headers of its stamp a `%` lacks its two hexadecimal digits";
}

}  // namespace

bool has_stamp(const outgoing& event) noexcept {
  return event.origin != 0 || (event.headers != nullptr && !event.headers->empty()) || tells_content_type(event);
}

void append_stamp(const outgoing& event, std::string& to) {
  require_headers(event);
  if (std::any_of(event.content_type.begin(), event.content_type.end(), is_control)) {
    throw bus_error(errc::invalid_argument,
                    "a content type holds no control characters: " + core::quoted(event.content_type));
  }
  char digits[2 + 16 + 1 + 20 + 1 + 20];
  char* const end = digits + sizeof digits;
  digits[0] = '1';
  digits[1] = ' ';
  char* at = std::to_chars(digits + 2, end, event.origin, 16).ptr;
  *at++ = ' ';
  at = std::to_chars(at, end, event.origin == 0 ? 0 : event.origin_sequence).ptr;
  if (event.origin != 0 && event.step != 0) {
    *at++ = '+';
    at = std::to_chars(at, end, event.step).ptr;
  }
  to.append(digits, at);
  const bool has_headers = event.headers != nullptr && !event.headers->empty();
  const bool has_type = tells_content_type(event);
  if (has_headers) {
    to += ' ';
    append_headers(*event.headers, to);
  } else if (has_type) {
    to += " -";
  }
  if (has_type) (to += ' ') += event.content_type;
}

fault read_stamp(std::string_view line, incoming& event) {
  if (take_word(line) != "1") return "its stamp is of no known version: it does not begin with `1 `";
  if (!parse_number(take_word(line), 16, event.origin)) return "the origin in its stamp is no hexadecimal number";
  if (!parse_sequence(take_word(line), event)) return "the sequence in its stamp is no number, or its step is none";
  if (event.origin == 0) event.origin_sequence = event.step = 0;
  if (line.empty()) return nullptr;
  const std::string_view headers = take_word(line);
  event.content_type = line;
  return headers == "-" ? nullptr : read_headers(headers, event.headers);
}

}  // namespace actorbus::redis
