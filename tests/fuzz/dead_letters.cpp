// Any fields as a dead letter: what can be read of it has its fields as headers, and what it says of its entry is
// written and read as the same.
#include <fuzzer/FuzzedDataProvider.h>
#include <cstdlib>

#include <bridges/redis/dead_letter_fields.hpp>

using namespace actorbus;
using namespace actorbus::redis;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_headers(const wire_format& as, const std::vector<field_view>& fields) {
  std::vector<incoming> events;
  const fault wrong = read_entry_or_letter(as, fields, events);
  require((wrong == nullptr) == !events.empty());
  for (const incoming& each : events) {
    require(each.origin == 0 && each.topic.empty());
    for (std::size_t i = 0; i < dead_letter_names.size(); ++i)
      require(each.headers.get(dead_letter_names[i], "none") == fields[i].value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  const auto which = static_cast<format>(from.ConsumeIntegralInRange<int>(0, static_cast<int>(format::watermill)));
  std::vector<std::pair<std::string, std::string>> words;
  for (const auto name : dead_letter_names) words.emplace_back(name, from.ConsumeRandomLengthString());
  const bool is_large = from.ConsumeBool();
  words.emplace_back(is_large ? std::string(dead_letter_form) : "data", from.ConsumeRandomLengthString());
  if (!is_large) words.emplace_back(from.ConsumeRandomLengthString(), from.ConsumeRemainingBytesAsString());
  std::vector<field_view> fields;
  for (const auto& [name, value] : words) fields.push_back({name, value});
  require(is_dead_letter(fields));
  require_headers(wire_format_of(which, which == format::fields ? payload_shape::fields : payload_shape::bytes),
                  fields);
  if (const auto entry = read_large_letter(fields)) {
    const std::vector<std::string_view> views(entry->begin(), entry->end());
    const auto again = write_dead_letter(
        {words[0].second, words[1].second, words[2].second, words[3].second, words[4].second, 1, words[6].second},
        views);
    std::vector<field_view> written;
    for (std::size_t i = 0; i + 1 < again.size(); i += 2) written.push_back({again[i], again[i + 1]});
    require(read_large_letter(written) == entry);
  }
  return 0;
}
