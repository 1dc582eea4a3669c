// An extension point: events of a topic that are older than what its log keeps, fetched from elsewhere when a
// subscriber asks.
//
// Threads: `fetch` is called on a thread of the bus and must not block; it answers from any thread, once, by calling
// `done`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <bus/cursor.hpp>
#include <bus/headers.hpp>
#include <bus/metadata.hpp>
#include <bus/replay.hpp>

namespace actorbus {

/// What is asked for: events before the oldest one that the log will replay by itself.
struct history_request {
  std::string topic;
  replay from;         ///< what the subscriber asked for
  std::uint64_t have;  ///< of these, how many the log has; `last(n)` needs n - have more
  /// The oldest event the log has: only older ones are wanted, so that the two join without gap or duplicate. Empty:
  /// the log has none.
  struct oldest_event {
    std::uint64_t sequence;
    std::chrono::system_clock::time_point time;
    actorbus::headers headers;
    std::uint64_t origin;
    std::uint64_t origin_sequence;
  };
  std::optional<oldest_event> before;
  /// The sequence from which on the log gives everything by itself, what it replays and what is live: events published
  /// here are wanted up to there.
  std::uint64_t until = 0;
  /// Calls it with the events from `until` on that the log has now, oldest first, until it returns false: where the
  /// source's own events begin among them. Any thread, also later; an event that publisher<T>::unappended no longer
  /// counts is there, unless it was trimmed.
  std::function<void(const std::function<bool(const metadata&)>&)> look;
};

/// One event from a history source; it has no sequence in this process.
template <class T>
struct past_event {
  T value;
  actorbus::headers headers = {};
  std::chrono::system_clock::time_point time = {};
  std::uint64_t origin = 0;
  std::uint64_t origin_sequence = 0;
};

template <class T>
class history_source {
 public:
  virtual ~history_source() = default;

  /// Calls `done` with the events, oldest first; with none if there are none or they cannot be had.
  virtual void fetch(const history_request& request, std::function<void(std::vector<past_event<T>>)> done) = 0;
};

namespace core {

/// The same, for readers, which know no T.
class history_source_base {
 public:
  virtual ~history_source_base() = default;
  virtual void fetch(const history_request& request, std::function<void(std::vector<replayed>)> done) = 0;
};

}  // namespace core
}  // namespace actorbus
