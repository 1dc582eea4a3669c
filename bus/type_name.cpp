#include <bus/type_name.hpp>

#include <cstdlib>
#include <memory>
#include <string_view>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace actorbus {

namespace {

std::string demangled(const char* name) {
#if __has_include(<cxxabi.h>)
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  if (status == 0 && text) return text.get();
#endif
  return name;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string readable(const char* name) {
  std::string text = demangled(name);
  // libstdc++ and libc++ put what they version into an inline namespace.
  replace_all(text, "std::__cxx11::", "std::");
  replace_all(text, "std::__1::", "std::");
  replace_all(text, " >", ">");
  replace_all(text, "std::basic_string<char, std::char_traits<char>, std::allocator<char>>", "std::string");
  return text;
}

}  // namespace

std::string type_name(const std::type_info& type) { return readable(type.name()); }

std::string type_name(std::type_index type) { return readable(type.name()); }

}  // namespace actorbus
