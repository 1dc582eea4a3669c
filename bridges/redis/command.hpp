// Commands as the bytes that go to the server: RESP arrays of bulk strings, appended to a buffer.
//
// Written by hand and not by hiredis' formatter: that one allocates a command at a time, and takes twice as long.
// The protocol is Redis' own, https://redis.io/docs/reference/protocol-spec.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace actorbus::redis {

/// Appends commands to a buffer that it borrows.
class command_writer {
 public:
  explicit command_writer(std::string& to) : to_(to) {}

  /// A command of so many words, its name included; they follow.
  command_writer& begin(std::size_t words) {
    line('*', words);
    return *this;
  }
  command_writer& word(std::string_view what) {
    line('$', what.size());
    to_.append(what).append("\r\n", 2);
    return *this;
  }
  command_writer& number(std::int64_t what) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, what).ptr;
    return word({digits, static_cast<std::size_t>(end - digits)});
  }

 private:
  void line(char kind, std::size_t count) {
    char bytes[24];
    bytes[0] = kind;
    char* end = std::to_chars(bytes + 1, bytes + sizeof bytes - 2, count).ptr;
    *end++ = '\r';
    *end++ = '\n';
    to_.append(bytes, static_cast<std::size_t>(end - bytes));
  }

  std::string& to_;
};

/// Appends one whole command.
inline void append_command(std::string& to, std::initializer_list<std::string_view> words) {
  command_writer out(to);
  out.begin(words.size());
  for (const auto each : words) out.word(each);
}

inline std::string command(std::initializer_list<std::string_view> words) {
  std::string result;
  append_command(result, words);
  return result;
}

}  // namespace actorbus::redis
