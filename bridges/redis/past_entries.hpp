// Entries of a stream from before, read back: for bridge::history, and for subscribers that ask for more than a topic
// keeps.
//
// Threads: the loop's, except for the decoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bridges/redis/wire_format.hpp>
#include <bus/history_source.hpp>

namespace actorbus::redis {

/// An entry as the server gave it, owned.
struct past_entry {
  stream_id id;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Asks for the entries of a topic's stream that a request wants, oldest first, and answers once, from any thread.
using past_fetcher = std::function<void(const history_request&, std::function<void(std::vector<past_entry>)>)>;

/// The events of entries, the last `limit` of them; what is not readable is left out. `decode` makes a T of a payload,
/// and throws if it is none.
template <class T, class Decode>
std::vector<past_event<T>> past_events(const std::vector<past_entry>& entries, const wire_format& as, std::size_t limit,
                                       Decode decode) {
  std::vector<past_event<T>> result;
  std::vector<field_view> fields;
  std::vector<incoming> events;
  for (const auto& entry : entries) {
    fields.clear();
    events.clear();
    for (const auto& [name, value] : entry.fields) fields.push_back({name, value});
    if (read_entry_or_letter(as, fields, events) != nullptr) continue;
    for (auto& each : events) {
      headers with = std::move(each.headers);
      with.set("redis.id", entry.id.to_string());
      try {
        result.push_back(
            {decode(each), std::move(with), entry.id.time(), each.origin == 0 ? 1 : each.origin, each.origin_sequence});
      } catch (const std::exception&) {
        continue;  // set aside
      }
    }
  }
  if (result.size() > limit) result.erase(result.begin(), result.end() - static_cast<std::ptrdiff_t>(limit));
  return result;
}

}  // namespace actorbus::redis
