// A lane and a log of payload T, fed and read by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <bus/lane.hpp>
#include <bus/log.hpp>

namespace actorbus::testing {

template <class T>
struct core_fixture {
  explicit core_fixture(std::size_t lane_places = 8)
      : topic(std::make_shared<core::topic_identity>("core", core::payload_type_of<T>())),
        log(topic, 1),
        lane(std::make_shared<core::lane_of<T>>(lane_places, topic)) {}

  /// True: the lane took it.
  bool push(T value) { return push_to(*lane, std::move(value)); }
  static bool push_to(core::lane_of<T>& to, T value) {
    const core::arrival<T> one{&value, nullptr};
    return to.push(core::single_arrival<core::arrival<T>>{&one}, 1) == 1;
  }
  bool spill(T value, std::size_t bound, std::promise<void>* accepted = nullptr) {
    return lane->spill(core::arrival<T>{&value, nullptr}, bound, accepted);
  }

  /// Writes straight into the log; not yet visible.
  void append(T value, std::int64_t time = 0) {
    std::size_t room = 0;
    ::new (static_cast<void*>(log.slots(room))) core::entry_of<T>(core::arrival<T>{&value, nullptr});
    log.append(1, time);
  }

  const T& at(std::uint64_t sequence) const {
    const core::stretch pinned = log.pin(sequence);
    return *static_cast<const core::entry_of<T>*>(pinned.holder()->at(sequence))->value();
  }
  std::int64_t time_at(std::uint64_t sequence) const {
    const core::stretch pinned = log.pin(sequence);
    return pinned.holder()->at(sequence)->time;
  }
  std::vector<T> visible() const {
    std::vector<T> all;
    for (auto s = log.begin(); s < log.end(); ++s) all.push_back(at(s));
    return all;
  }

  std::shared_ptr<core::topic_identity> topic;
  core::log log;
  std::shared_ptr<core::lane_of<T>> lane;
};

}  // namespace actorbus::testing
