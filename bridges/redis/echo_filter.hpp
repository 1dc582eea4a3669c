// Tells our own payloads when they come back, where the format has no room for an origin.
//
// By order and content: a channel gives back what was sent in the order in which it was sent, so one of ours is found
// at the head of those in flight; those before it will not come any more. An equal payload of somebody else's that
// comes first is taken for ours, and ours for theirs: nobody can tell them apart. Threads: one at a time.
#pragma once

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

  void sent(const std::string& channel, std::string_view payload) {
    auto& ours = in_flight_[channel];
    if (ours.size() == most) ours.pop_front();
    ours.push_back(print_of(payload));
  }

  /// Whether it is one of ours; then it is not in flight any more.
  bool is_echo(const std::string& channel, std::string_view payload) {
    const auto found = in_flight_.find(channel);
    if (found == in_flight_.end()) return false;
    auto& ours = found->second;
    const auto wanted = print_of(payload);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if (ours[i] != wanted) continue;
      ours.erase(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return true;
    }
    return false;
  }

  /// The connection was lost: what was in flight may never come.
  void forget() { in_flight_.clear(); }
  void forget(const std::string& channel) { in_flight_.erase(channel); }

 private:
  struct print {
    std::size_t size;
    std::size_t hash;
    friend bool operator==(const print&, const print&) = default;
  };
  static print print_of(std::string_view payload) { return {payload.size(), std::hash<std::string_view>{}(payload)}; }

  std::unordered_map<std::string, std::deque<print>> in_flight_;
};

}  // namespace actorbus::redis
