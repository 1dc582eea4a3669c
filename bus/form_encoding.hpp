// Names with a text each as one text: application/x-www-form-urlencoded, as `name=text&other=text`.
//
// Written: letters, digits and `*-._` as they are, a space as `+`, every other byte as `%` and two hexadecimal digits;
// always with a `=`, so that one empty name with an empty text, `=`, differs from nothing. Read, as the URL standard's
// parser does: a part without `=` is a name with an empty text, empty parts are skipped; but a `%` without two
// hexadecimal digits is a fault. Any bytes go through unchanged.
//
// Source: https://url.spec.whatwg.org/#application/x-www-form-urlencoded. Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace actorbus {

/// Appends `text` as a part of a form; names and texts are written alike.
void append_form_text(std::string& to, std::string_view text);

/// Appends `name=text`, behind a `&` unless it is the first.
void append_form_pair(std::string& to, std::string_view name, std::string_view text, bool first);

/// Cuts the pairs off a text, one at a time.
class form_reader {
 public:
  explicit form_reader(std::string_view text) : rest_(text) {}

  /// Puts the next pair into `name` and `text`; false at the end, and at the first fault.
  bool next(std::string& name, std::string& text);

  /// What stopped it, or null if it was the end.
  const char* fault() const noexcept { return fault_; }

 private:
  bool decode(std::string_view from, std::string& to);

  std::string_view rest_;
  const char* fault_ = nullptr;
};

}  // namespace actorbus
