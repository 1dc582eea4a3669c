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

  /// What is remembered of a payload, to be taken back.
  struct mark {
    std::size_t size, hash;
    std::uint64_t era;  ///< 0: nothing is
  };

  mark sent(const std::string& channel, std::string_view payload) {
    auto& ours = in_flight_[channel];
    if (ours.prints.size() == most) ours.prints.pop_front();
    const auto hash = std::hash<std::string_view>{}(payload);
    ours.prints.push_back({payload.size(), hash, ours.sent++});
    return {payload.size(), hash, era_};
  }

  /// It will not come: equal ones are no echo of it. False: one has come meanwhile, which was somebody else's, or it
  /// got there after all.
  bool take_back(const std::string& channel, const mark& what) {
    if (what.era != era_) return true;
    const auto found = in_flight_.find(channel);
    return found != in_flight_.end() && take(found->second.prints, what.size, what.hash);
  }

  /// Whether it is one of ours; then it is not in flight any more.
  bool is_echo(const std::string& channel, std::string_view payload) {
    const auto found = in_flight_.find(channel);
    if (found == in_flight_.end()) return false;
    auto& [prints, sent] = found->second;
    if (!take(prints, payload.size(), std::hash<std::string_view>{}(payload))) return false;
    while (!prints.empty() && sent - prints.front().number - prints.size() >= most_overtaking) prints.pop_front();
    return true;
  }

  /// Nobody knows whether it had come: it comes back once or twice.
  void sent_again(const std::string& channel, const mark& what) {
    auto& ours = twice_[channel];
    if (ours.size() == most) ours.pop_front();
    ours.push_back({what.size, what.hash, 0});
  }
  /// Whether what is no echo may be the second of one that was sent again. True once for each.
  bool may_be_second(const std::string& channel, std::string_view payload) {
    const auto found = twice_.find(channel);
    return found != twice_.end() && take(found->second, payload.size(), std::hash<std::string_view>{}(payload));
  }

  /// The connection was lost: what was in flight may never come.
  void forget() {
    in_flight_.clear();
    ++era_;
  }
  /// Nobody listens any more to the channels that `which` tells.
  template <class Which>
  void forget_if(Which which) {
    std::erase_if(in_flight_, [&](const auto& each) { return which(each.first); });
  }

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

  static bool take(std::deque<print>& from, std::size_t size, std::size_t hash) {
    const auto at = std::find_if(from.begin(), from.end(),
                                 [&](const print& each) { return each.hash == hash && each.size == size; });
    if (at == from.end()) return false;
    from.erase(at);
    return true;
  }

  std::unordered_map<std::string, channel_prints> in_flight_;
  std::unordered_map<std::string, std::deque<print>> twice_;
  std::uint64_t era_ = 1;
};

}  // namespace actorbus::redis
