#include <bridges/redis/stream_id.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace actorbus::redis {

namespace {

using std::chrono::system_clock;
using whole_milliseconds = std::chrono::duration<std::int64_t, std::milli>;

/// from_chars takes no sign and no space for an unsigned number, as it should be.
bool parse_whole(std::string_view text, std::uint64_t& to) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, to);
  return error == std::errc{} && stop == end && !text.empty();
}

}  // namespace

std::optional<stream_id> stream_id::parse(std::string_view text) noexcept {
  stream_id id;
  const std::size_t dash = text.find('-');
  if (!parse_whole(text.substr(0, dash), id.milliseconds)) return std::nullopt;
  if (dash != text.npos && !parse_whole(text.substr(dash + 1), id.sequence)) return std::nullopt;
  return id;
}

stream_id stream_id::at(system_clock::time_point time) noexcept {
  const auto since = std::chrono::floor<whole_milliseconds>(time.time_since_epoch());
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 0)), 0};
}

system_clock::time_point stream_id::time() const noexcept {
  constexpr auto last = std::chrono::floor<whole_milliseconds>(system_clock::duration::max());
  if (milliseconds > static_cast<std::uint64_t>(last.count())) return system_clock::time_point::max();
  return system_clock::time_point{whole_milliseconds{static_cast<std::int64_t>(milliseconds)}};
}

void stream_id::append_to(std::string& text) const {
  std::array<char, 20> digits;  // the most that a number has
  const auto append = [&](std::uint64_t number) {
    text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
  };
  append(milliseconds);
  text += '-';
  append(sequence);
}

std::string stream_id::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

}  // namespace actorbus::redis
