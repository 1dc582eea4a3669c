// A publisher that appends by itself: one event alone then crosses threads once.
#include <bus/bus_core.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

bool topic_core::take_for_direct_append(std::int64_t& time) {
  time = time_stamp();
  if (time - log_.last_time() < alone_after) return false;
  // Its wake-up would wait behind others' anyway: what comes meanwhile then goes with it, in one batch.
  if (bus_->engine().is_crowded() || !bell_.take_idle()) return false;
  const auto now = gate_.load(std::memory_order_acquire);
  bool free = now != gate::finished && now != gate::closed && cursors_.size() <= direct_readers && pending_.empty() &&
              !controls_posted_.load(std::memory_order_relaxed) &&
              lanes_version_.load(std::memory_order_acquire) == seen_version_;
  for (std::size_t i = 0; free && i < seen_.size(); ++i) free = seen_[i].first->empty();
  for (std::size_t i = 0; free && i < cursors_.size(); ++i) {
    free = cursors_[i]->append_limit() > log_.next();
  }
  if (!free) give_baton_back();
  return free;
}

void topic_core::finish_direct_append(std::size_t count) {
  direct_.fetch_add(count, std::memory_order_relaxed);
  if (log_.next() % survey_every == 0) survey();  // chunks that everybody has passed go, though no step looks
  make_known();
  give_baton_back();
}

void topic_core::give_baton_back() {
  if (rest_or_continue()) wake();
}

}  // namespace actorbus::core
