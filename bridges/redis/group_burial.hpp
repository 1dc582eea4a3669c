// The dead letters of a consumer on their way: each is kept until the server has put it into their stream and
// acknowledged the entry, in one step.
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/stream_id.hpp>

namespace actorbus::redis {

/// What a consumer is and where, in the server's names.
struct group_names {
  std::string topic;
  std::string key;  ///< of the stream
  std::string group;
  std::string consumer;
  std::string dead_key;  ///< of the dead letters' stream
  std::string from;      ///< the place where a new group begins, as XGROUP CREATE takes it
};

class group_burial final {
 public:
  /// `buried`: it is in its place, or it is no longer this consumer's.
  group_burial(bridge_core& of, const group_names& names, std::function<void(stream_id)> buried)
      : core_(of), names_(names), buried_(std::move(buried)), alive_(std::make_shared<int>()) {}

  /// `entry`: its fields, name and value by turns.
  void add(stream_id id, std::uint64_t attempts, std::string_view error, std::span<const std::string_view> entry);
  /// The connection was lost: those whose answer did not come, or was a refusal, are sent again.
  void send_again();
  /// One of those that were refused is sent again, and the others once that is taken: they may be many, and large. It
  /// is another each time: one may be refused for what it is.
  void try_refused();
  bool empty() const { return letters_.empty(); }

 private:
  struct letter {
    std::vector<std::string> words;
    bool is_refused = false;
  };

  void send(stream_id id, letter& what);
  void answered(stream_id id, const reply* what);

  bridge_core& core_;
  const group_names& names_;
  const std::function<void(stream_id)> buried_;
  const std::shared_ptr<int> alive_;  ///< answers that come later find it gone
  std::map<stream_id, letter> letters_;
  bool tries_ = false;    ///< one that was refused is on its way
  stream_id tried_ = {};  ///< that one, or the last
};

}  // namespace actorbus::redis
