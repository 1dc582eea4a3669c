// One format at work: writes events as a stream's entries and as messages, reads them back, and names keys and
// channels.
//
// Reading is total: any bytes give events or a fault, a text that says what is wrong with them. Memory is taken in
// proportion to the bytes that are there, whatever lengths they claim.
// Ownership: what is read views into what it was read from. Threads: any; a format has no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/format.hpp>
#include <bus/codec.hpp>
#include <bus/headers.hpp>

namespace actorbus::redis {

/// What a payload is before a format takes it: has_field_codec types can give their fields, all can give bytes.
enum class payload_shape : std::uint8_t { bytes, fields };

/// More headers on one event are refused, both ways.
inline constexpr std::size_t max_headers = 1024;

/// An event to be written, borrowed.
struct outgoing {
  std::string_view topic = {};
  std::string_view payload = {};            ///< shape bytes
  std::span<const field_view> fields = {};  ///< shape fields
  const actorbus::headers* headers = nullptr;
  std::string_view content_type = {};  ///< codec<T>::content_type
  std::uint64_t origin = 0;            ///< 0: not known; then no format carries it or its sequence
  std::uint64_t origin_sequence = 0;
  std::uint64_t step = 0;  ///< its sequence less that of the event its origin published before it here; 0: not known
};

/// An event that was read. Views into what it was read from.
struct incoming {
  std::string_view topic = {};              ///< where the format carries it in the entry, else empty
  std::string_view payload = {};            ///< shape bytes
  std::span<const field_view> fields = {};  ///< shape fields
  actorbus::headers headers = {};
  std::string_view content_type = {};  ///< empty: not told
  std::uint64_t origin = 0;            ///< 0: not told, a foreign program's
  std::uint64_t origin_sequence = 0;
  std::uint64_t step = 0;   ///< as outgoing::step; 0: not told
  std::uint32_t place = 0;  ///< its place in its entry, from 0
};

/// A message of this content type is no event: messages of its sender may be missing before it; its payload says why.
inline constexpr std::string_view gap_content_type = "application/vnd.actorbus.gap";

/// Throws errc::invalid_argument if the event has more than max_headers.
void require_headers(const outgoing& event);

/// What is wrong with an entry or a message from outside, said of it, as "it has no field `data`"; null: nothing. A
/// literal.
using fault = const char*;

class wire_format {
 public:
  virtual ~wire_format() = default;

  virtual redis::format kind() const noexcept = 0;

  /// How many events one entry or one message may hold.
  virtual std::size_t max_events() const noexcept { return 1; }

  /// Which of an event's payloads `write_entry` takes and `read_entry` gives. In messages it is always bytes.
  virtual payload_shape entry_shape() const noexcept { return payload_shape::bytes; }

  /// Whether there are messages of this format at all; where not, writing and reading one is errc::unsupported.
  virtual bool has_messages() const noexcept { return true; }

  /// Whether an origin survives; where not, echoes are told by their payload.
  virtual bool entries_carry_origin() const noexcept = 0;
  virtual bool messages_carry_origin() const noexcept = 0;

  /// Puts the field and value pairs of one entry that holds `events`, 1 to max_events() of one topic, in place of what
  /// is in `to`. They view into the events and into `scratch`, whose contents go too.
  /// Throws errc::invalid_argument for what the format cannot hold, told at each format; then `to` is empty.
  virtual void write_entry(std::span<const outgoing> events, std::string& scratch,
                           std::vector<field_view>& to) const = 0;

  /// One message that holds `events`; a view into the event's payload or into `scratch`, whose contents go. Throws as
  /// `write_entry`.
  virtual std::string_view write_message(std::span<const outgoing> events, std::string& scratch) const = 0;

  /// Appends the events of an entry; nothing if there is a fault.
  [[nodiscard]] virtual fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const = 0;

  /// Appends the events of a message; nothing if there is a fault.
  [[nodiscard]] virtual fault read_message(std::string_view message, std::vector<incoming>& to) const = 0;

  /// How many events an entry holds, for counting; 0 if it is not readable.
  virtual std::size_t count_entry(std::span<const field_view> fields) const noexcept;

  /// The key of a topic's stream. Throws errc::invalid_argument for a topic that the format cannot name.
  virtual std::string stream_key(std::string_view prefix, std::string_view topic) const;
  virtual std::string channel(std::string_view prefix, std::string_view topic) const;

  /// The topic of a stream's key or a channel; empty if it is none of the prefix's. Says nothing about the topic's
  /// validity. A format whose keys do not tell it, litestar, gives empty too: the entries carry it, and
  /// no pattern's streams can be found by their keys.
  virtual std::optional<std::string_view> topic_of_key(std::string_view prefix, std::string_view key) const noexcept;
  virtual std::optional<std::string_view> topic_of_channel(std::string_view prefix,
                                                           std::string_view channel) const noexcept;

  /// Patterns in the server's sense, for SCAN and PSUBSCRIBE, that cover at least the keys and channels of the topics
  /// that `pattern` covers.
  virtual std::string key_glob(std::string_view prefix, std::string_view pattern) const;
  virtual std::string channel_glob(std::string_view prefix, std::string_view pattern) const;
};

/// The one for payloads that have `shape`. Throws errc::invalid_argument for `fields` without the shape fields.
const wire_format& wire_format_of(format which, payload_shape shape);

/// The shape of T's payloads.
template <class T>
inline constexpr payload_shape shape_of = has_field_codec<T> ? payload_shape::fields : payload_shape::bytes;

}  // namespace actorbus::redis
