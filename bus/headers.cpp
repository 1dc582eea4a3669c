#include <bus/headers.hpp>

#include <algorithm>

namespace actorbus {

headers::headers(std::initializer_list<value_type> entries) : headers(entries.begin(), entries.end()) {}

bool headers::contains(std::string_view key) const noexcept { return find(key) != nullptr; }

const std::string* headers::find(std::string_view key) const noexcept {
  for (const value_type& entry : entries_) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

std::string_view headers::get(std::string_view key, std::string_view fallback) const noexcept {
  const std::string* value = find(key);
  return value ? std::string_view(*value) : fallback;
}

void headers::set(std::string key, std::string value) {
  for (value_type& entry : entries_) {
    if (entry.first == key) {
      entry.second = std::move(value);
      return;
    }
  }
  entries_.emplace_back(std::move(key), std::move(value));
}

bool headers::erase(std::string_view key) noexcept {
  return std::erase_if(entries_, [key](const value_type& entry) { return entry.first == key; }) > 0;
}

bool operator==(const headers& left, const headers& right) noexcept {
  return left.size() == right.size() && std::all_of(left.begin(), left.end(), [&](const headers::value_type& entry) {
           const std::string* other = right.find(entry.first);
           return other && *other == entry.second;
         });
}

}  // namespace actorbus
