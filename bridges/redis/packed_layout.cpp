#include <bridges/redis/packed_layout.hpp>

#include <bridges/redis/envelope.hpp>
#include <bus/errors.hpp>

namespace actorbus::redis {

namespace {

constexpr unsigned has_headers = 1;
constexpr unsigned has_origin = 2;

constexpr fault cut_short = "it ends in the middle of its packed events";

void append_number(std::uint64_t value, std::string& to) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void append_origin(std::uint64_t value, std::string& to) {
  for (int shift = 0; shift < 64; shift += 8) to += static_cast<char>(value >> shift & 0xff);
}

void append_text(std::string_view text, std::string& to) {
  append_number(text.size(), to);
  to += text;
}

/// Where the next event comes from unless it says otherwise.
struct expected_origin {
  std::uint64_t origin = 0;
  std::uint64_t sequence = 0;

  bool is_of(const outgoing& event) const noexcept {
    return event.origin == origin && (origin == 0 || event.origin_sequence == sequence);
  }
  /// Behind an event of `other`.
  void pass(std::uint64_t other, std::uint64_t its_sequence) noexcept {
    if (other == origin) sequence = its_sequence + 1;
  }
};

void append_event(const outgoing& event, expected_origin& expected, std::string& to) {
  const bool headed = event.headers != nullptr && !event.headers->empty();
  const bool expects = expected.is_of(event);
  append_number(event.payload.size() << 2 | (expects ? 0 : has_origin) | (headed ? has_headers : 0), to);
  if (!expects) {
    append_origin(event.origin, to);
    append_number(event.origin == 0 ? 0 : event.origin_sequence, to);
  }
  expected.pass(event.origin, event.origin_sequence);
  if (headed) {
    append_number(event.headers->size(), to);
    for (const auto& [name, text] : *event.headers) {
      append_text(name, to);
      append_text(text, to);
    }
  }
  to += event.payload;
}

/// Takes apart what is there; every `take` is false when there is too little, or a number of more than 64 bits.
class packed_reader {
 public:
  explicit packed_reader(std::string_view from) : rest_(from) {}

  std::size_t left() const noexcept { return rest_.size(); }

  bool take_number(std::uint64_t& to) noexcept {
    to = 0;
    for (unsigned i = 0; i < rest_.size() && i < 10; ++i) {
      const auto byte = static_cast<unsigned char>(rest_[i]);
      if (i == 9 && byte > 1) return false;
      to |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  bool take_origin(std::uint64_t& to) noexcept {
    if (rest_.size() < 8) return false;
    to = 0;
    for (unsigned i = 0; i < 8; ++i) to |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(8);
    return true;
  }

  bool take_bytes(std::uint64_t size, std::string_view& to) noexcept {
    if (rest_.size() < size) return false;
    to = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool take_text(std::string_view& to) noexcept {
    std::uint64_t size = 0;
    return take_number(size) && take_bytes(size, to);
  }

 private:
  std::string_view rest_;
};

/// What all events of a run share.
struct packed_head {
  std::uint64_t events = 0;
  std::string_view content_type;
  expected_origin first;
  std::uint64_t step = 0;
};

fault take_head(packed_reader& from, packed_head& head) noexcept {
  if (!from.take_number(head.events)) return cut_short;
  if (head.events == 0) return "it holds no packed events";
  if (head.events > max_packed_events) return "it claims more than 65536 packed events";
  if (!from.take_text(head.content_type) || !from.take_origin(head.first.origin)) return cut_short;
  if (!from.take_number(head.first.sequence) || !from.take_number(head.step)) return cut_short;
  // Each event takes a byte at least: what is not there needs no room.
  return head.events <= from.left() ? nullptr : cut_short;
}

fault take_headers(packed_reader& from, actorbus::headers& to) {
  std::uint64_t count = 0;
  if (!from.take_number(count)) return cut_short;
  if (count > max_headers) return "one of its packed events claims more than 1024 headers";
  for (; count > 0; --count) {
    std::string_view name, text;
    if (!from.take_text(name) || !from.take_text(text)) return cut_short;
    to.set(std::string(name), std::string(text));
  }
  return nullptr;
}

fault take_event(packed_reader& from, expected_origin& expected, incoming& event) {
  std::uint64_t begin = 0;
  if (!from.take_number(begin)) return cut_short;
  event.origin = expected.origin;
  event.origin_sequence = expected.sequence;
  if ((begin & has_origin) != 0) {
    if (!from.take_origin(event.origin) || !from.take_number(event.origin_sequence)) return cut_short;
  }
  expected.pass(event.origin, event.origin_sequence);
  if (event.origin == 0) event.origin_sequence = 0;
  if ((begin & has_headers) != 0) {
    if (const fault wrong = take_headers(from, event.headers)) return wrong;
  }
  return from.take_bytes(begin >> 2, event.payload) ? nullptr : cut_short;
}

fault take_events(packed_reader& from, std::vector<incoming>& to) {
  packed_head head;
  if (const fault wrong = take_head(from, head)) return wrong;
  const std::size_t first = to.size();
  to.reserve(first + head.events);
  for (std::uint32_t place = 0; place < head.events; ++place) {
    incoming& event = to.emplace_back();
    event.place = place;
    event.content_type = head.content_type;
    if (const fault wrong = take_event(from, head.first, event)) return wrong;
  }
  if (from.left() != 0) return "something stands behind its packed events";
  if (to[first].origin != 0) to[first].step = head.step;
  return nullptr;
}

}  // namespace

void write_packed(std::span<const outgoing> events, std::string& to) {
  if (events.empty() || events.size() > max_packed_events) {
    throw bus_error(errc::invalid_argument, std::to_string(events.size()) + " events cannot be packed: 1 to 65536 can");
  }
  for (const outgoing& event : events) require_headers(event);
  const outgoing& first = events.front();
  expected_origin expected{first.origin, first.origin == 0 ? 0 : first.origin_sequence};
  to = packed_magic;
  append_number(events.size(), to);
  append_text(first.content_type, to);
  append_origin(expected.origin, to);
  append_number(expected.sequence, to);
  append_number(first.origin == 0 ? 0 : first.step, to);
  for (const outgoing& event : events) append_event(event, expected, to);
}

fault read_packed(std::string_view from, std::vector<incoming>& to) {
  const std::size_t before = to.size();
  packed_reader reader(from.substr(packed_magic.size()));
  const fault wrong = take_events(reader, to);
  if (wrong != nullptr) to.resize(before);
  return wrong;
}

std::size_t count_packed(std::string_view from) noexcept {
  if (!from.starts_with(packed_magic)) return 0;
  packed_reader reader(from.substr(packed_magic.size()));
  packed_head head;
  return take_head(reader, head) == nullptr ? static_cast<std::size_t>(head.events) : 0;
}

}  // namespace actorbus::redis
