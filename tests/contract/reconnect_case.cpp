// The case about faults: what carries the events goes, twice, and comes back, while a publisher goes on.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "tests/contract/delivery_cases.hpp"
#include "tests/contract/scene.hpp"

namespace actorbus::contract {

namespace {

const std::string topic = "conformance.faults";

constexpr std::uint32_t stream = 1;  // the publisher

/// Raised once for each event, however often it comes and to whom.
class distinct {
 public:
  void take(const event<parcel>& what) {
    std::lock_guard lock(mutex_);
    if (seen_.insert(what->counter).second) arrived_.add();
  }
  gauge& arrived() { return arrived_; }
  bool has(std::uint64_t counter) const {
    std::lock_guard lock(mutex_);
    return seen_.count(counter) != 0;
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::uint64_t> seen_;
  gauge arrived_;
};

expectations promised_by(const delivery_kind& kind) {
  expectations promised{.sequenced = false};  // notices have sequences too
  if (kind.promises == guarantee::at_most_once) promised.allowed = losses::in_gaps;
  if (kind.promises == guarantee::at_least_once) promised.doubled = doubles::marked;
  promised.ordered = kind.promises != guarantee::at_least_once;
  return promised;
}

/// Publishes on behind `count` until the last one arrives: all that the publisher had sent before it has come, or never
/// will.
void probe(scene& in, const distinct& came, std::uint64_t count) {
  constexpr int most = 2000;
  int within = 20;  // looks; more each time, for a way that takes long
  for (std::uint64_t tries = 1; tries <= 100; ++tries, within = std::min(2 * within, most)) {
    in.publish(stream, topic, 1);
    for (int looks = 0; looks < within; ++looks) {
      if (came.has(count + tries)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});  // between two looks whether it has arrived
    }
  }
  in.complain("nothing arrives any more");
}

/// Up to `count`: some while all is well, some while the way is cut off.
void publish_through_a_fault(scene& in, std::size_t before, std::size_t meanwhile) {
  in.publish(stream, topic, before);
  in.cut_off();
  in.publish(stream, topic, meanwhile);
  in.restore();
}

std::string play_cut_off_in_between(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  distinct came;
  const bool shared = kind.promises == guarantee::at_least_once;  // the way of groups, whose members hand on
  const std::size_t members = shared ? 3 : 1;
  for (std::size_t i = 0; i < members; ++i) {
    receiver& one = s.receive("subscriber " + std::to_string(i), topic, {.group = shared ? "workers" : ""},
                              [&came](const event<parcel>& e) { came.take(e); });
    one.record().expects(promised_by(kind));
  }
  const std::size_t all = size.through_faults, third = all / 3, meanwhile = all / 20;
  gauge& arrived = came.arrived();
  s.publish(stream, topic, third / 2);
  s.expect(arrived, third / 2, "before the fault");
  publish_through_a_fault(s, third - third / 2, meanwhile);
  publish_through_a_fault(s, all / 2 - third - meanwhile, meanwhile);
  s.publish(stream, topic, all - all / 2 - meanwhile);
  if (kind.promises == guarantee::at_most_once) {
    probe(s, came, all);
  } else {
    s.expect(arrived, all, "after the faults");
  }
  return s.end(promised_by(kind));
}

}  // namespace

const delivery_case cut_off_in_between{
    "what is cut off in between, twice, goes on with nothing missing but what was told",
    {&features::reconnect},
    play_cut_off_in_between};

}  // namespace actorbus::contract
