// The headers of an event: a few names with a text each, in the order they were set.
//
// Threads: as a standard container. Nothing is allocated while it is empty.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace actorbus {

class headers {
 public:
  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;

  headers() noexcept = default;

  /// As `{{"source", "odometry"}, {"frame", "map"}}`. Of a key given twice the last text stays.
  headers(std::initializer_list<value_type> entries);

  /// From any range of pairs. Of a key given twice the last text stays.
  template <std::input_iterator Iterator,
            class = std::enable_if_t<std::is_convertible_v<std::iter_reference_t<Iterator>, value_type>>>
  headers(Iterator first, Iterator last) {
    for (; first != last; ++first) {
      value_type entry = *first;
      set(std::move(entry.first), std::move(entry.second));
    }
  }

  bool contains(std::string_view key) const noexcept;

  /// The text of `key`, or null. Valid until the headers change.
  const std::string* find(std::string_view key) const noexcept;

  /// The text of `key`, or `fallback`. Valid until the headers change, and as long as `fallback` is.
  std::string_view get(std::string_view key, std::string_view fallback = {}) const noexcept;

  /// Replaces the text of `key` in its place, or appends it.
  void set(std::string key, std::string value);

  /// Whether `key` was there.
  bool erase(std::string_view key) noexcept;

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  const_iterator begin() const noexcept { return entries_.begin(); }
  const_iterator end() const noexcept { return entries_.end(); }

  /// The same keys with the same texts, in whatever order.
  friend bool operator==(const headers& left, const headers& right) noexcept;

 private:
  std::vector<value_type> entries_;
};

}  // namespace actorbus
