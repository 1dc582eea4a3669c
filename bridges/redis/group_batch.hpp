// Entries that one reply of the server delivered to a consumer, each with what became of it.
//
// Ownership: a batch is shared by the loop, which makes it and collects the outcomes, and the hands, which take its
// entries one by one; its memory lives until every entry was collected. Threads: an entry is its taker's until `state`
// says that it is over, and then the loop's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <bridges/redis/reply.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bus/notices.hpp>

namespace actorbus::redis {

/// Which events of an entry were handled already, by their places; those of a packed entry that failed at another.
using handled_places = std::vector<bool>;

struct group_task {
  enum class outcome : std::uint8_t {
    open,       ///< not yet handled
    revoked,    ///< not to be handled: it is another's by now
    handled,    ///< the handler returned, for each of its events
    failed,     ///< it threw
    poison,     ///< not decodable
    collected,  ///< the loop knows
  };
  struct failure {
    std::string error = {};
    handled_places handled = {};         ///< empty where the entry has only one event
    std::vector<std::string> rest = {};  ///< those of its events that failed as an entry of their own; empty: all
  };

  /// Release by who sets it to an end, acquire by the loop: what is said in `why` comes with it.
  std::atomic<outcome> state{outcome::open};
  stream_id id = {};
  std::string_view id_text = {};
  std::span<const reply> words = {};  ///< its fields, name and value by turns
  std::uint64_t deliveries = 1;
  handled_places handled = {};  ///< by an earlier delivery
  std::unique_ptr<failure> why = {};
  std::unique_ptr<log_notice> notice = {};  ///< it is no entry: this is told
};

struct group_batch {
  group_batch(std::size_t size, std::shared_ptr<arena> of) : memory(std::move(of)), tasks(size) {}

  /// The next that nobody has taken; null: none.
  group_task* take() {
    const std::size_t at = next.fetch_add(1, std::memory_order_relaxed);
    return at < tasks.size() ? &tasks[at] : nullptr;
  }
  bool is_exhausted() const { return next.load(std::memory_order_relaxed) >= tasks.size(); }

  const std::shared_ptr<arena> memory;
  std::vector<group_task> tasks;
  std::atomic<std::size_t> next{0};
  std::size_t first_open = 0;  ///< the loop's: those before it are collected
};

}  // namespace actorbus::redis
