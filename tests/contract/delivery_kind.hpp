// A kind of delivery, as the conformance suite sees it: what it declares that it can do, and its two ends.
//
// A kind inside the process opens both ends on one bus; a bridge opens them on two buses that it joins.
// Threads: both ends from any thread; an outlet and an intake are one thread's at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <bus/event.hpp>
#include <bus/headers.hpp>
#include <bus/on_error.hpp>
#include <bus/replay.hpp>

namespace actorbus::contract {

/// The payload of every case.
struct parcel {
  std::uint32_t publisher;
  std::uint64_t counter;  ///< from 1, by publisher
  std::uint64_t value;
};

/// What a kind declares. A case that needs more than that is reported as not applicable to it.
struct features {
  bool history = false;      ///< a subscriber may begin with what was published before, `history_kept` events at least
  bool groups = false;       ///< members share the events among them
  bool retry = false;        ///< an event whose handler threw comes again
  bool blocking = false;     ///< a publisher waits for a subscriber that lags, so that nothing is lost
  bool isolation = false;    ///< a subscriber that stands still does not hold up the others before it is full
  bool total_order = false;  ///< all subscribers of a topic see the same sequences
  bool drains = false;       ///< closing the publisher's end delivers what was accepted
  bool reconnect = false;    ///< what carries events between its ends can be cut off and comes back; see `guarantee`

  friend bool operator==(const features&, const features&) = default;
};

/// What holds through a time when what carries the events was cut off.
enum class guarantee {
  exactly_once,   ///< each accepted event comes once, in its order
  at_least_once,  ///< none is lost; one that comes again is marked, and may come out of its order
  at_most_once,   ///< none comes twice; where events are missing, a gap was told
};

struct named_feature {
  std::string_view name;
  bool features::*value;
};

/// Every member of `features`, by name.
const std::vector<named_feature>& every_feature();

inline constexpr std::size_t history_kept = 4096;

/// A publisher.
class outlet {
 public:
  virtual ~outlet() = default;
  /// Waits for room, a bounded time.
  virtual std::error_code publish(const parcel& what, headers with) = 0;
};

/// The end that publishes.
class publisher_side {
 public:
  virtual ~publisher_side() = default;
  virtual std::unique_ptr<outlet> open(const std::string& topic) = 0;
  /// Delivers what was accepted, then ends. Returns what is wrong about that, as a rule nothing.
  virtual std::string close() = 0;

  /// For kinds that reconnect: what carries the events is gone, without a warning, when this returns; and is there
  /// again, with all it had acknowledged, when `restore` returns.
  virtual void cut_off() {}
  virtual void restore() {}
};

struct wishes {
  replay from = replay::live();
  std::size_t capacity = 0;
  std::string group = {};
  actorbus::on_error on_error = actorbus::on_error::ignore();
  std::function<void()> on_gap = {};  ///< set by the scene; told in order with the events, by kinds that reconnect
};

/// A subscription. Its destructor ends it; after that nothing is received.
class intake {
 public:
  virtual ~intake() = default;
  /// Its side is closed: returns once it has received all there is. False: that took too long.
  virtual bool read_to_the_end() = 0;
};

/// The end that subscribes. `subscribe` returns once events published from now on will be received.
class subscriber_side {
 public:
  using receive = std::function<void(const event<parcel>&)>;

  virtual ~subscriber_side() = default;
  virtual std::unique_ptr<intake> subscribe(const std::string& topic, receive to, const wishes& how) = 0;
  virtual std::string close() = 0;
};

struct delivery_kind {
  std::string name;
  features can;
  std::function<std::shared_ptr<publisher_side>()> open_publisher_side;
  std::function<std::shared_ptr<subscriber_side>(const std::shared_ptr<publisher_side>&)> open_subscriber_side;
  guarantee promises = guarantee::exactly_once;
  /// Whether an event says that it was delivered before; empty: none of this kind does.
  std::function<bool(const event<parcel>&)> came_again = {};
  /// Headers that the kind itself adds on the way, by the beginning of their names; empty: none.
  std::string adds_headers = {};
};

}  // namespace actorbus::contract
