// One run of one case: both ends of a kind, who publishes, who receives, and the history of it all.
//
// Threads: `publish`, `receive` and `complain` from any thread; the rest by the thread that plays the case. Nothing
// here asserts: what is wrong is collected and returned by `end`, so that cases can run beside each other.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "tests/contract/delivery_kind.hpp"
#include "tests/contract/gauge.hpp"
#include "tests/contract/history.hpp"

namespace actorbus::contract {

/// One subscriber and what it received.
class receiver {
 public:
  using meeting = std::function<void(const event<parcel>&)>;

  /// `first` meets each event before it counts as received; if it throws, the event does not count.
  receiver(const delivery_kind& kind, subscriber_record& record, meeting first)
      : kind_(kind), record_(record), first_(std::move(first)) {}

  void take(const event<parcel>& what);
  void open(std::unique_ptr<intake> from) { from_ = std::move(from); }
  bool read_to_the_end() { return !from_ || from_->read_to_the_end(); }
  void cancel() { from_.reset(); }

  /// Raised with each event received.
  gauge& arrived() { return arrived_; }
  subscriber_record& record() { return record_; }

 private:
  const delivery_kind& kind_;
  subscriber_record& record_;
  const meeting first_;
  gauge arrived_;
  std::unique_ptr<intake> from_;
};

class scene {
 public:
  /// `kind` outlives it.
  explicit scene(const delivery_kind& kind);
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;

  /// Publisher `id` publishes `count` parcels, on from its last one. One thread at a time for each `id`.
  void publish(std::uint32_t id, const std::string& topic, std::uint64_t count);
  /// The same until an error; returns it, empty after `most`.
  std::error_code publish_until_refused(std::uint32_t id, const std::string& topic, std::uint64_t most);
  /// Its outlet goes at once, whatever is in flight.
  void leave(std::uint32_t id);

  /// Subscribes. Throws what subscribing throws.
  receiver& receive(const std::string& name, const std::string& topic, wishes how = {}, receiver::meeting first = {});
  /// Waits until it has received as many; complains if it does not.
  void expect(receiver& who, std::uint64_t count);
  void expect(gauge& what, std::uint64_t count, const std::string& name);

  void complain(const std::string& what);

  /// What carries the events is cut off, and comes back; for kinds that reconnect.
  void cut_off() { from_->cut_off(); }
  void restore() { from_->restore(); }

  /// Closes the publisher's end, while subscribers live on.
  void close_publishing();
  /// Closes the subscribers' end, where that is another: it first receives what is on its way.
  void close_subscribing();
  /// Closes both ends and judges the history. Empty if all is well.
  std::string end(expectations promised = {});

 private:
  struct source {
    std::unique_ptr<outlet> out;
    publisher_record* record = nullptr;
    std::uint64_t counter = 0;
  };
  source& find(std::uint32_t id, const std::string& topic);

  const delivery_kind& kind_;
  const std::shared_ptr<publisher_side> from_;
  const std::shared_ptr<subscriber_side> to_;
  history history_;
  std::mutex mutex_;  // guards what follows
  std::deque<std::pair<std::uint32_t, source>> sources_;
  std::string complaints_;
  std::deque<receiver> receivers_;  // the first to go: their handlers refer to all above
};

/// Runs `play(0)` to `play(count - 1)`, each on a thread of its own, all let go at once. Exceptions become complaints.
void together(scene& in, std::size_t count, const std::function<void(std::size_t)>& play);

}  // namespace actorbus::contract
