#include <bus/cursor.hpp>

#include <bus/topic_core.hpp>

namespace actorbus::core {

cursor::cursor(std::shared_ptr<topic_core> topic, std::shared_ptr<core::reader> reader, limits how, replay from)
    : topic_(std::move(topic)),
      reader_(std::move(reader)),
      how_(how),
      from_(from),
      log_(topic_->log()),
      capacity_(how.overflow == overflow::latest ? 1
                : how.capacity != 0              ? how.capacity
                                                 : topic_->options().capacity) {}

void cursor::start(std::vector<replayed> replay, std::uint64_t live, std::uint64_t gone) {
  std::uint64_t count = 0;
  for (const auto& each : replay) count += each.past - each.first;
  older = std::move(replay);
  trimmed = gone;
  tells_caught_up = from_.kind() != replay_kind::live;
  awaits_history.store(history != nullptr, std::memory_order_relaxed);
  counts.before_live.store(count + gone, std::memory_order_relaxed);
  counts.dropped.store(gone, std::memory_order_relaxed);
  replay_left_.store(count, std::memory_order_relaxed);
  live_start_.store(live, std::memory_order_relaxed);
  position_.store(live, std::memory_order_relaxed);
  started_.store(true, std::memory_order_release);
}

void cursor::add_older(std::vector<replayed> earlier) {
  std::uint64_t count = 0;
  for (const auto& each : earlier) count += each.past - each.first;
  older.insert(older.begin(), std::make_move_iterator(earlier.begin()), std::make_move_iterator(earlier.end()));
  bump(counts.before_live, count);
  replay_left_.store(replay_left_.load(std::memory_order_relaxed) + count, std::memory_order_release);
  awaits_history.store(false, std::memory_order_release);
}

}  // namespace actorbus::core
