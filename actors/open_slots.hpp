// The slots of one engine that still may touch its actor system: what stopping the engine waits for.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <mutex>

namespace actorbus::actors {

class activity_slot;

class open_slots {
 public:
  open_slots() = default;
  open_slots(const open_slots&) = delete;
  open_slots& operator=(const open_slots&) = delete;

  /// False: the engine has stopped, and the slot stays out.
  bool add(activity_slot& slot);

  /// The slot's last touch of its engine.
  void remove(activity_slot& slot);

  /// Closes every slot, lets none in any more, and returns when the last one has removed itself.
  void close_all();

 private:
  std::mutex mutex_;
  std::condition_variable emptied_;
  activity_slot* first_ = nullptr;  // a list through the slots: no allocation for 100,000 of them
  bool closed_ = false;
};

}  // namespace actorbus::actors
