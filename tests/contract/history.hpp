// What really happened in a run: what each publisher had accepted, and what each subscriber received, in its order.
//
// Threads: `publisher` and `subscriber` may be called from any thread. Each record belongs to one thread at a time (to
// one handler, whose calls see each other's writes). Judge a history when all its threads and handlers are done.
// Ownership: records live as long as their history.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace actorbus::contract {

/// Which losses a subscriber may have.
enum class losses {
  none,     ///< Complete: from its start to its end everything is there.
  told,     ///< Lossy: what is missing is told, exactly, in its place.
  untold,   ///< Anything may be missing, as with overflow::latest; all else is judged.
  in_gaps,  ///< Where events are missing it was told that there may be, as a bridge does that was cut off.
};

/// Which events may come more than once.
enum class doubles {
  none,    ///< Each comes once.
  marked,  ///< One that comes again says so. One that says so need not have come before: its first time may have been
           ///< lost with whom it came to.
};

/// What a subscriber was promised.
struct expectations {
  losses allowed = losses::none;
  std::optional<std::uint64_t> after = 0;  ///< It begins behind this sequence; empty: with the first it received.
  bool to_the_end = true;                  ///< False: it may stop anywhere, as one that is cancelled does.
  bool ordered = true;                     ///< False: order is not judged, as in a group that hands events on.
  bool sequenced = true;                   ///< False: sequences are not judged, nor the losses told by them.
  doubles doubled = doubles::none;
};

/// What one publisher published to one topic. Its counters grow; they name its events together with its id.
class publisher_record {
 public:
  struct event {
    std::uint64_t counter, value;
  };

  publisher_record(std::uint32_t id, std::string topic) : id_(id), topic_(std::move(topic)) {}

  /// An event was accepted; `value` is its payload, or a digest of it. Refused events are not recorded.
  void accepted(std::uint64_t counter, std::uint64_t value) { events_.push_back({counter, value}); }

  std::uint32_t id() const noexcept { return id_; }
  const std::string& topic() const noexcept { return topic_; }
  const std::vector<event>& events() const noexcept { return events_; }

 private:
  std::uint32_t id_;
  std::string topic_;
  std::vector<event> events_;
};

/// What one subscriber received of one topic. A subscriber of several topics has a record for each.
class subscriber_record {
 public:
  struct event {
    std::uint32_t publisher;
    std::uint64_t counter, value, sequence;
    bool again;  ///< it said that it was delivered again
  };

  struct notice {
    std::uint64_t count, first, last;
    std::size_t position;  ///< how many events were received before it
  };

  subscriber_record(std::string name, std::string topic) : name_(std::move(name)), topic_(std::move(topic)) {}

  /// An event was received; `sequence` is the topic's, 0 if it has none.
  void received(std::uint32_t publisher, std::uint64_t counter, std::uint64_t value, std::uint64_t sequence,
                bool again = false) {
    events_.push_back({publisher, counter, value, sequence, again});
  }

  /// A `lagged` was received.
  void lagged(std::uint64_t count, std::uint64_t first, std::uint64_t last) {
    notices_.push_back({count, first, last, events_.size()});
  }

  /// A notice was received that events may be missing here, how many is not known: a bridge's `gap`.
  void gap() { gaps_.push_back(events_.size()); }

  /// Promises of its own, instead of those given to the check. In a group the first member's hold.
  void expects(const expectations& promised) { promised_ = promised; }

  /// Makes it a member: the members of a group together receive each event once.
  void joins(std::string group) { group_ = std::move(group); }

  const std::string& name() const noexcept { return name_; }
  const std::string& topic() const noexcept { return topic_; }
  const std::string& group() const noexcept { return group_; }
  const std::optional<expectations>& promised() const noexcept { return promised_; }
  const std::vector<event>& events() const noexcept { return events_; }
  const std::vector<notice>& notices() const noexcept { return notices_; }
  /// For each gap, how many events were received before it.
  const std::vector<std::size_t>& gaps() const noexcept { return gaps_; }

 private:
  std::string name_;
  std::string topic_;
  std::string group_;
  std::optional<expectations> promised_;
  std::vector<event> events_;
  std::vector<notice> notices_;
  std::vector<std::size_t> gaps_;
};

class history {
 public:
  /// `id` is used once in a history: a thread that publishes to two topics is two publishers.
  publisher_record& publisher(std::uint32_t id, std::string topic) {
    std::lock_guard lock(mutex_);
    return publishers_.emplace_back(id, std::move(topic));
  }

  subscriber_record& subscriber(std::string name, std::string topic) {
    std::lock_guard lock(mutex_);
    return subscribers_.emplace_back(std::move(name), std::move(topic));
  }

  const std::deque<publisher_record>& publishers() const noexcept { return publishers_; }
  const std::deque<subscriber_record>& subscribers() const noexcept { return subscribers_; }

 private:
  std::mutex mutex_;
  std::deque<publisher_record> publishers_;
  std::deque<subscriber_record> subscribers_;
};

}  // namespace actorbus::contract
