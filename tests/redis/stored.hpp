// Events of a test that own what they are made of, and what a server would hold of them.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::testing {

using pairs = std::vector<std::pair<std::string, std::string>>;

inline std::vector<field_view> views_of(const pairs& fields) {
  std::vector<field_view> views;
  for (const auto& [name, value] : fields) views.push_back({name, value});
  return views;
}

/// An event to be written.
struct sample {
  std::string topic = "orders.created";
  std::string payload = "hello";
  pairs fields = {};
  actorbus::headers headers = {};
  std::string content_type = {};
  std::uint64_t origin = 0;
  std::uint64_t origin_sequence = 0;
  std::uint64_t step = 0;
};

/// The samples as a format takes them; not beyond the samples' life.
class outgoing_samples {
 public:
  explicit outgoing_samples(std::span<const sample> from) : fields_(from.size()) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      const sample& s = from[i];
      fields_[i] = views_of(s.fields);
      events_.push_back(
          {s.topic, s.payload, fields_[i], &s.headers, s.content_type, s.origin, s.origin_sequence, s.step});
    }
  }
  operator std::span<const redis::outgoing>() const { return events_; }

 private:
  std::vector<std::vector<field_view>> fields_;
  std::vector<redis::outgoing> events_;
};

/// What the server keeps of an entry: copies, so that the reader cannot lean on the writer's memory.
inline pairs entry_of(const redis::wire_format& format, std::span<const sample> events) {
  std::string scratch = "from before";
  std::vector<field_view> views(1);
  format.write_entry(outgoing_samples(events), scratch, views);
  pairs fields;
  for (const field_view& view : views) fields.emplace_back(view.name, view.value);
  return fields;
}

inline pairs entry_of(const redis::wire_format& format, const sample& event) { return entry_of(format, {&event, 1}); }

inline std::string message_of(const redis::wire_format& format, std::span<const sample> events) {
  std::string scratch = "from before";
  return std::string(format.write_message(outgoing_samples(events), scratch));
}

inline std::string message_of(const redis::wire_format& format, const sample& event) {
  return message_of(format, {&event, 1});
}

/// What was read, in copies.
struct reading {
  std::string fault;
  std::vector<sample> events;

  const sample& one() const { return events.at(0); }
};

inline reading copied(redis::fault wrong, const std::vector<redis::incoming>& events) {
  reading result{wrong != nullptr ? wrong : "", {}};
  for (const redis::incoming& e : events) {
    pairs fields;
    for (const field_view& field : e.fields) fields.emplace_back(field.name, field.value);
    result.events.push_back({std::string(e.topic), std::string(e.payload), std::move(fields), e.headers,
                             std::string(e.content_type), e.origin, e.origin_sequence, e.step});
  }
  return result;
}

inline reading read_entry(const redis::wire_format& format, const pairs& fields) {
  std::vector<redis::incoming> events;
  const std::vector<field_view> views = views_of(fields);
  const redis::fault wrong = format.read_entry(views, events);
  return copied(wrong, events);
}

inline reading read_message(const redis::wire_format& format, const std::string& message) {
  std::vector<redis::incoming> events;
  const redis::fault wrong = format.read_message(message, events);
  return copied(wrong, events);
}

/// Samples of every kind by chance.
class random_samples {
 public:
  explicit random_samples(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t number() { return engine_() >> engine_() % 64; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }

  std::string bytes(std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& byte : text) byte = static_cast<char>(engine_());
    return text;
  }

  actorbus::headers headers() {
    actorbus::headers result;
    if (below(2) == 0) return result;
    for (std::size_t n = below(5); n > 0; --n) result.set(bytes(20), bytes(300));
    return result;
  }

  sample one() {
    sample s;
    s.payload = bytes(below(4) == 0 ? 2000 : 60);
    s.headers = headers();
    if (below(2) == 0) s.content_type = below(2) == 0 ? "application/json" : "text/plain; charset=utf-8";
    if (below(3) != 0) s.origin = number();
    if (s.origin != 0) s.origin_sequence = number();
    if (s.origin != 0) s.step = number();
    for (std::size_t n = below(4); n > 0; --n) s.fields.emplace_back(bytes(12), bytes(60));
    return s;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace actorbus::testing
