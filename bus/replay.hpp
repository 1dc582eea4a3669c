// Where a subscription begins: now, or some way back in what the topic remembers.
//
// A replay never reaches back further than the topic's `history`. When it has been delivered, `caught_up` follows.
// Threads: any; a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace actorbus {

/// Which of its ways a `replay` begins.
enum class replay_kind { live, last, all, after, since };

class replay {
 public:
  /// Only events to come: none whose publish returned before the subscribing call.
  static constexpr replay live() noexcept { return replay(replay_kind::live); }

  /// The last `count` events, fewer if the topic remembers fewer, and all to come. On a pattern: of each topic.
  static constexpr replay last(std::size_t count) noexcept {
    replay result(replay_kind::last);
    result.count_ = count;
    return result;
  }

  /// All events the topic remembers and all to come.
  static constexpr replay all() noexcept { return replay(replay_kind::all); }

  /// The events behind `sequence`. Those no longer remembered are told by a `lagged` first. Subscribing throws
  /// errc::invalid_argument if the topic has not yet reached `sequence`, and on a pattern.
  static constexpr replay after(std::uint64_t sequence) noexcept {
    replay result(replay_kind::after);
    result.sequence_ = sequence;
    return result;
  }

  /// The remembered events appended at `time` or later, and all to come.
  static constexpr replay since(std::chrono::system_clock::time_point time) noexcept {
    replay result(replay_kind::since);
    result.time_ = time;
    return result;
  }

  constexpr replay_kind kind() const noexcept { return kind_; }

  /// The argument of `last`; otherwise 0.
  constexpr std::size_t count() const noexcept { return count_; }

  /// The argument of `after`; otherwise 0.
  constexpr std::uint64_t sequence() const noexcept { return sequence_; }

  /// The argument of `since`; otherwise the clock's epoch.
  constexpr std::chrono::system_clock::time_point time() const noexcept { return time_; }

  friend constexpr bool operator==(const replay&, const replay&) noexcept = default;

 private:
  explicit constexpr replay(replay_kind kind) noexcept : kind_(kind) {}

  replay_kind kind_;
  std::size_t count_ = 0;
  std::uint64_t sequence_ = 0;
  std::chrono::system_clock::time_point time_{};
};

}  // namespace actorbus
