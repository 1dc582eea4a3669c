// A dead letter on Redis: fields that say whose it was and what was wrong with it, and behind them the fields of the
// entry, as they were. Threads: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/wire_format.hpp>
#include <bus/dead_letter.hpp>

namespace actorbus::redis {

/// The names of its own fields, in their order, and of the headers that its events have.
inline constexpr std::array<std::string_view, 7> dead_letter_names{
    actorbus::dead_letter::topic, "dead_letter.stream",   "dead_letter.id",
    "dead_letter.group",          "dead_letter.consumer", actorbus::dead_letter::attempts,
    actorbus::dead_letter::error};

/// An entry with more words than a script can hand on is one field of a dead letter, in form encoding.
inline constexpr std::size_t most_moved_words = 4000;
inline constexpr std::string_view dead_letter_form = "dead_letter.fields";

/// What its own fields say.
struct dead_letter_about {
  std::string_view topic, stream, id, group, consumer;
  std::uint64_t attempts;
  std::string_view error;
};

/// All fields, name and value by turns. `entry` are those of the entry.
std::vector<std::string> write_dead_letter(const dead_letter_about& about, std::span<const std::string_view> entry);

inline bool is_dead_letter(std::span<const field_view> fields) noexcept {
  if (fields.size() <= dead_letter_names.size()) return false;
  for (std::size_t i = 0; i < dead_letter_names.size(); ++i) {
    if (fields[i].name != dead_letter_names[i]) return false;
  }
  return true;
}

/// The words of the entry of a dead letter that has them as one field; empty: it is no such letter.
std::optional<std::vector<std::string>> read_large_letter(std::span<const field_view> fields);

/// As wire_format::read_entry, of an entry that may be a dead letter: then its events have no origin, so that they come
/// to everybody, and no topic, for what they tell is the one they came from; and its own fields are headers.
[[nodiscard]] inline fault read_entry_or_letter(const wire_format& as, std::span<const field_view> fields,
                                                std::vector<incoming>& to) {
  if (!is_dead_letter(fields)) return as.read_entry(fields, to);
  const std::size_t before = to.size();
  if (const fault wrong = as.read_entry(fields.subspan(dead_letter_names.size()), to)) return wrong;
  for (std::size_t i = before; i < to.size(); ++i) {
    to[i].origin = to[i].origin_sequence = 0;
    to[i].topic = {};
    for (const auto& each : fields.first(dead_letter_names.size()))
      to[i].headers.set(std::string(each.name), std::string(each.value));
  }
  return nullptr;
}

}  // namespace actorbus::redis
