// Entries of a stream from before, read back: for bridge::history, and for subscribers that ask for more than a topic
// keeps.
//
// Threads: the loop's, except for the decoding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bridges/redis/stream_offset.hpp>
#include <bridges/redis/wire_format.hpp>
#include <bus/history_source.hpp>

namespace actorbus::redis {

/// An event from outside that does not say where it comes from has this origin: outside.
inline constexpr std::uint64_t foreign_origin = 1;

/// An entry as the server gave it, owned.
struct past_entry {
  stream_id id;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Where the log of a topic takes over from its stream: what lies behind is not history.
struct takeover {
  std::uint64_t self = 0;                                           ///< the bridge's origin
  std::uint64_t until = std::numeric_limits<std::uint64_t>::max();  ///< the log has what was published here from it on
  stream_offset next = stream_offset::max();                        ///< and what came from others from here on
  std::string topic = {};                       ///< whose log; an event that tells another shares the stream only
  std::map<stream_id, std::uint64_t> own = {};  ///< published here, with its sequence, where entries do not tell

  bool is_of_topic(const incoming& what) const { return what.topic.empty() || what.topic == topic; }
  bool is_before(const stream_id& id, const incoming& what) const {
    if (!is_of_topic(what)) return false;
    if (what.origin == self) return what.origin_sequence < until;
    if (const auto found = own.find(id); found != own.end()) return found->second < until;
    return stream_offset{id, what.place} < next;
  }
};

/// Takes entries, oldest first.
using past_taker = std::function<void(std::vector<past_entry>, const takeover&)>;

/// Asks for the entries of a topic's stream that a request wants, and answers once, from any thread.
using past_fetcher = std::function<void(const history_request&, past_taker)>;

/// How many events of a topic an entry holds that are readable, their payloads aside.
inline std::size_t count_events(const past_entry& entry, const wire_format& as, std::string_view topic) {
  std::vector<field_view> fields;
  std::vector<incoming> events;
  for (const auto& [name, value] : entry.fields) fields.push_back({name, value});
  if (read_entry_or_letter(as, fields, events) != nullptr) return 0;
  const takeover line{.topic = std::string(topic)};
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](const auto& each) { return line.is_of_topic(each); }));
}

/// The events of entries, the last `limit` of them; what is not readable is left out. `decode` makes a T of a payload,
/// and throws if it is none.
template <class T, class Decode>
std::vector<past_event<T>> past_events(const std::vector<past_entry>& entries, const wire_format& as, std::size_t limit,
                                       Decode decode, const takeover& line) {
  std::vector<past_event<T>> result;
  std::vector<field_view> fields;
  std::vector<incoming> events;
  for (const auto& entry : entries) {
    fields.clear();
    events.clear();
    for (const auto& [name, value] : entry.fields) fields.push_back({name, value});
    if (read_entry_or_letter(as, fields, events) != nullptr) continue;
    for (auto& each : events) {
      if (!line.is_before(entry.id, each)) continue;
      headers with = std::move(each.headers);
      with.set(id_header, stream_offset{entry.id, each.place}.to_string());
      const std::uint64_t origin = each.origin == 0 ? foreign_origin : each.origin;
      try {
        result.push_back({decode(each), std::move(with), entry.id.time(), origin, each.origin_sequence});
      } catch (const std::exception&) {
        continue;  // set aside
      }
    }
  }
  if (result.size() > limit) result.erase(result.begin(), result.end() - static_cast<std::ptrdiff_t>(limit));
  return result;
}

}  // namespace actorbus::redis
