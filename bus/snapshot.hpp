// What a look at a bus shows, and what its close reports. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace actorbus {

struct topic_snapshot {
  std::string name;
  std::string type;           ///< of the payload, readable
  std::uint64_t accepted;     ///< publishes that returned without an error
  std::uint64_t appended;     ///< of these, in the log so far
  std::uint64_t abandoned;    ///< of these, given up by close or abort before they were appended
  std::uint64_t refused;      ///< publishes that returned or threw an error
  std::uint64_t spilled;      ///< of the accepted, those that went through the spill
  std::size_t depth;          ///< events not yet read by the slowest subscriber, lanes included
  std::size_t history;        ///< events kept for replay
  std::size_t publishers;     ///< publisher<T> objects
  std::size_t subscribers;    ///< cursors: subscriptions, groups, inboxes
  std::size_t high_water;     ///< the most events the slowest subscriber ever lagged
  std::size_t pinned_chunks;  ///< chunks that somebody reads in or that kept events hold
  std::size_t lanes;          ///< publishers' mailboxes in memory
};

struct subscription_snapshot {
  std::string name;         ///< the option, may be empty
  std::string pattern;      ///< or the topic
  std::string kind;         ///< "handler", "group", "inbox"
  std::string group;        ///< of a group
  std::size_t members;      ///< of a group, else 1
  std::uint64_t offered;    ///< events from its starting point on
  std::uint64_t delivered;  ///< handled, including those that finally failed
  std::uint64_t failed;     ///< of these, the ones whose handler threw to the end
  std::uint64_t filtered;   ///< `where` said no
  std::uint64_t dropped;    ///< by `overflow`, or trimmed before replay::after reached them
  std::uint64_t abandoned;  ///< left unread when it ended
  std::uint64_t retries;
  std::uint64_t lag;                       ///< events there and not yet handled
  std::uint64_t skipped_topics;            ///< covered by the pattern and of another type
  std::chrono::nanoseconds oldest_unread;  ///< age of the oldest event not yet handled; 0 if there is none
  bool paused;
};

struct bus_snapshot {
  std::string name;
  std::vector<topic_snapshot> topics;
  std::vector<subscription_snapshot> subscriptions;
  std::size_t pending_requests = 0;
  std::uint64_t late_replies = 0;  ///< replies that came after their request had timed out; dropped
};

/// Sums over everything a bus ever had. They add up: accepted == appended + abandoned_by_topics, and
/// offered == delivered + filtered + dropped + abandoned_by_subscriptions.
struct account_totals {
  std::uint64_t accepted = 0, appended = 0, abandoned_by_topics = 0;
  std::uint64_t offered = 0, delivered = 0, failed = 0, filtered = 0, dropped = 0, abandoned_by_subscriptions = 0;

  bool adds_up() const {
    return accepted == appended + abandoned_by_topics &&
           offered == delivered + filtered + dropped + abandoned_by_subscriptions;
  }
};

struct close_report {
  bool drained = false;  ///< everything accepted was handled before the deadline
  account_totals totals;
  std::vector<topic_snapshot> topics;  ///< as they ended
  std::vector<subscription_snapshot>
      subscriptions;  ///< those that had to be ended: paused, or not done in time; and inboxes
};

}  // namespace actorbus
