// Tells our own payloads when they come back, where the format has no room for an origin.
//
// By content and order: the first equal one of those in flight is the one that came back. An equal payload of somebody
// else's that comes first is taken for ours, and ours for theirs: nobody can tell them apart; so those sent before it
// may still come. One that very many of those sent after it have overtaken will not come any more.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace actorbus::redis {

class echo_filter {
 public:
  /// More in flight on one channel than this: the oldest are forgotten.
  static constexpr std::size_t most = 65536;
  static constexpr std::size_t most_overtaking = 1024;

  void sent(const std::string& channel, std::string_view payload) {
    auto& ours = in_flight_[channel];
    if (ours.prints.size() == most) ours.prints.pop_front();
    ours.prints.push_back({payload.size(), std::hash<std::string_view>{}(payload), ours.sent++});
  }

  /// Whether it is one of ours; then it is not in flight any more.
  bool is_echo(const std::string& channel, std::string_view payload) {
    const auto found = in_flight_.find(channel);
    if (found == in_flight_.end()) return false;
    auto& [prints, sent] = found->second;
    const auto hash = std::hash<std::string_view>{}(payload);
    const auto at = std::find_if(prints.begin(), prints.end(),
                                 [&](const print& each) { return each.hash == hash && each.size == payload.size(); });
    if (at == prints.end()) return false;
    prints.erase(at);
    while (!prints.empty() && sent - prints.front().number - prints.size() >= most_overtaking) prints.pop_front();
    return true;
  }

  /// The connection was lost: what was in flight may never come.
  void forget() { in_flight_.clear(); }
  void forget(const std::string& channel) { in_flight_.erase(channel); }

 private:
  struct print {
    std::size_t size;
    std::size_t hash;
    std::uint64_t number;
  };
  struct channel_prints {
    std::deque<print> prints;
    std::uint64_t sent = 0;
  };

  std::unordered_map<std::string, channel_prints> in_flight_;
};

}  // namespace actorbus::redis
