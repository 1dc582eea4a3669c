#include <bus/names.hpp>

#include <algorithm>

#include <bus/errors.hpp>

namespace actorbus {

namespace {

enum class wildcards { refused, allowed };

bool is_control(char byte) noexcept {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20 || value == 0x7f;
}

/// What is wrong with `name`, or null. A pointer to a literal, so that the noexcept questions can ask it too.
const char* fault(std::string_view name, wildcards wild) noexcept {
  if (name.empty()) return "it is empty";
  if (name.size() > max_name_bytes) return "it is longer than 255 bytes";
  if (name.front() == '.') return "it begins with a dot";
  if (name.back() == '.') return "it ends with a dot";
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view token = core::take_token(rest);
    if (token.empty()) return "a token between two dots is empty";
    if (token.find(' ') != token.npos) return "it contains a space";
    if (std::any_of(token.begin(), token.end(), is_control)) return "it contains a control character";
    if (is_literal(token)) continue;
    if (wild == wildcards::refused) return "it contains a wildcard";
    if (token.size() > 1) return "a wildcard is only part of a token";
    if (token == ">" && !rest.empty()) return "`>` is not its last token";
  }
  return nullptr;
}

}  // namespace

bool is_topic_name(std::string_view name) noexcept { return fault(name, wildcards::refused) == nullptr; }

bool is_pattern(std::string_view pattern) noexcept { return fault(pattern, wildcards::allowed) == nullptr; }

bool is_literal(std::string_view name) noexcept { return name.find_first_of("*>") == name.npos; }

void require_topic_name(std::string_view name) {
  if (const char* wrong = fault(name, wildcards::refused)) {
    throw bus_error(errc::invalid_topic,
                    core::quoted(name) + " cannot name a topic: " + wrong +
                        "; a topic name is dot-separated tokens, 1 to 255 bytes, without spaces, control characters, "
                        "`*` or `>`, such as \"robot.pose\"");
  }
}

void require_pattern(std::string_view pattern) {
  if (is_literal(pattern)) return require_topic_name(pattern);
  if (const char* wrong = fault(pattern, wildcards::allowed)) {
    throw bus_error(errc::invalid_pattern,
                    core::quoted(pattern) + " cannot be a pattern: " + wrong +
                        "; in a pattern `*` stands for exactly one token and a last `>` for one or more, such as "
                        "\"robot.*.pose\" or \"robot.>\"");
  }
}

bool matches(std::string_view pattern, std::string_view topic) noexcept {
  while (!pattern.empty() && !topic.empty()) {
    const std::string_view expected = core::take_token(pattern);
    if (expected == ">") return true;
    const std::string_view token = core::take_token(topic);
    if (expected != "*" && expected != token) return false;
  }
  return pattern.empty() && topic.empty();
}

namespace core {

std::string_view take_token(std::string_view& rest) noexcept {
  const std::size_t dot = std::min(rest.find('.'), rest.size());
  const std::string_view token = rest.substr(0, dot);
  rest.remove_prefix(std::min(dot + 1, rest.size()));
  return token;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t shown = 64;
  constexpr char digits[] = "0123456789abcdef";
  std::size_t length = std::min(text.size(), shown);
  if (length < text.size()) {  // not in the middle of a UTF-8 character
    while (length > shown - 4 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  }
  std::string result = "\"";
  for (const char byte : text.substr(0, length)) {
    if (is_control(byte)) {
      const auto value = static_cast<unsigned char>(byte);
      result += {'\\', 'x', digits[value >> 4], digits[value & 0xf]};
    } else {
      if (byte == '"' || byte == '\\') result += '\\';
      result += byte;
    }
  }
  result += length < text.size() ? "...\"" : "\"";
  return result;
}

}  // namespace core

}  // namespace actorbus
