#include <bridges/redis/dead_letter_fields.hpp>

#include <bus/form_encoding.hpp>

namespace actorbus::redis {

std::vector<std::string> write_dead_letter(const dead_letter_about& about, std::span<const std::string_view> entry) {
  const std::string attempts = std::to_string(about.attempts);
  const std::array<std::string_view, dead_letter_names.size()> values{
      about.topic, about.stream, about.id, about.group, about.consumer, attempts, about.error};
  std::vector<std::string> words;
  for (std::size_t i = 0; i < values.size(); ++i) {
    words.emplace_back(dead_letter_names[i]);
    words.emplace_back(values[i]);
  }
  if (entry.size() <= most_moved_words) {
    words.insert(words.end(), entry.begin(), entry.end());
    return words;
  }
  std::string form;
  for (std::size_t i = 0; i + 1 < entry.size(); i += 2) append_form_pair(form, entry[i], entry[i + 1], i == 0);
  words.emplace_back(dead_letter_form);
  words.push_back(std::move(form));
  return words;
}

std::optional<std::vector<std::string>> read_large_letter(std::span<const field_view> fields) {
  if (!is_dead_letter(fields) || fields.size() != dead_letter_names.size() + 1) return std::nullopt;
  const field_view& form = fields.back();
  if (form.name != dead_letter_form) return std::nullopt;
  std::vector<std::string> words;
  form_reader pairs(form.value);
  for (std::string name, text; pairs.next(name, text);) {
    words.push_back(name);
    words.push_back(text);
  }
  if (pairs.fault() != nullptr || words.size() <= most_moved_words) return std::nullopt;
  return words;
}

}  // namespace actorbus::redis
