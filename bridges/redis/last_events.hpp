// Where the last events of a stream begin, found by reading it backwards, page by page, without any I/O: told of each
// entry how many events it holds, it knows which is the first one that is wanted, also within an entry.
//
// Threads: one at a time; a value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <bridges/redis/stream_id.hpp>
#include <bridges/redis/stream_offset.hpp>

namespace actorbus::redis {

class last_events {
 public:
  /// `most_in_entry`: an entry of the stream's format may hold so many. Entries behind `newest` do not count.
  last_events(std::uint64_t wanted, std::size_t most_in_entry, stream_id newest = stream_id::max())
      : wanted_(wanted), page_(most_in_entry == 1 ? most_of_page : least_of_page), newest_(newest) {}

  /// What XREVRANGE is asked for next: from there backwards, so many.
  std::string newest() const { return newest_.to_string(); }
  std::size_t page() const { return static_cast<std::size_t>(std::clamp<std::uint64_t>(wanted_ - found_, 1, page_)); }

  /// The next entry, newest first, holds so many events. True: more are wanted.
  bool take(const stream_id& entry, std::size_t events) {
    if (events != 0) first_.id = entry;
    is_through_ = entry == stream_id::min();
    newest_ = entry.previous();
    found_ += events;
    if (found_ > wanted_) first_.place = static_cast<std::uint32_t>(found_ - wanted_);
    return wants_more();
  }
  /// The page was full, and yet was not enough: a larger one is next.
  void turn_page() { page_ = std::min(page_ * 2, most_of_page); }
  bool wants_more() const { return found_ < wanted_ && !is_through_; }

  /// Of the wanted events that were found; empty: there was none.
  std::optional<stream_offset> first() const { return found_ != 0 ? std::optional(first_) : std::nullopt; }

 private:
  static constexpr std::size_t least_of_page = 16;  ///< entries that hold many events are large
  static constexpr std::size_t most_of_page = 512;

  std::uint64_t wanted_;
  std::uint64_t found_ = 0;
  std::size_t page_;
  stream_id newest_;
  stream_offset first_;
  bool is_through_ = false;  ///< nothing can be before what was looked at
};

}  // namespace actorbus::redis
