// Where replies end in the bytes that a server sends.
//
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace actorbus::testing {

class reply_boundary {
 public:
  /// Takes the next bytes. The first place among them where no reply is under way; npos if there is none, or only
  /// behind the last.
  std::size_t take(std::string_view bytes) {
    std::size_t found = bytes.npos;
    for (std::size_t i = 0; i < bytes.size();) {
      if (found == bytes.npos && line_.empty() && text_ == 0 && open_.empty()) found = i;
      if (text_ == 0) {
        line_ += bytes[i++];
        if (line_.ends_with("\r\n")) take_line();
        continue;
      }
      const std::size_t some = std::min(text_, bytes.size() - i);
      i += some;
      text_ -= some;
      if (text_ == 0) element_ended();
    }
    return found;
  }

 private:
  void take_line() {
    const char type = line_[0];
    const long number = std::strtol(line_.c_str() + 1, nullptr, 10);
    line_.clear();
    if (type == '$' && number >= 0) {
      text_ = static_cast<std::size_t>(number) + 2;
    } else if (type == '*' && number > 0) {
      open_.push_back(number);
    } else {
      element_ended();
    }
  }
  void element_ended() {
    while (!open_.empty() && --open_.back() == 0) open_.pop_back();
  }

  std::string line_;        ///< as far as it has come
  std::size_t text_ = 0;    ///< what is missing of a text and the line's end behind it
  std::vector<long> open_;  ///< elements missing, of each array that is under way
};

}  // namespace actorbus::testing
