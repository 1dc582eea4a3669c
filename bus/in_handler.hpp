// Whether the calling thread is inside a function that the bus calls, and whose lanes it publishes through there.
//
// A handler's events keep their order although its actor moves between threads, so they go through lanes that belong to
// the subscription. Everywhere else a thread's own lanes serve. Both are a lane_set.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

namespace actorbus::core {

class lane;

/// One publisher's lanes, by topic. Threads: its owner's alone.
class lane_set {
 public:
  lane_set() = default;
  lane_set(const lane_set&) = delete;
  lane_set& operator=(const lane_set&) = delete;
  ~lane_set();

  /// The place for its lane at the topic with this id; empty until one is made. Forgets sealed lanes now and then.
  std::shared_ptr<lane>& at(std::uint64_t topic_id);

  /// That of the calling handler's subscription, or else of the calling thread.
  static lane_set& current();

 private:
  void forget_sealed();

  std::unordered_map<std::uint64_t, std::shared_ptr<lane>> lanes_;
  std::uint64_t last_id_ = 0;
  std::shared_ptr<lane>* last_ = nullptr;
  std::size_t sweep_at_ = 64;
};

/// Marks the calling thread as inside a handler while it lives. Scopes nest.
class handler_scope {
 public:
  /// `lanes`: the subscription's; null keeps the ones in force.
  explicit handler_scope(lane_set* lanes = nullptr);
  ~handler_scope();
  handler_scope(const handler_scope&) = delete;
  handler_scope& operator=(const handler_scope&) = delete;

 private:
  lane_set* const outer_;
};

bool in_handler();

/// Throws errc::in_handler: `what` would wait for the very handler that calls it.
void require_outside_handler(const char* what);

}  // namespace actorbus::core
