// What a reader was offered and what became of it.
#include <algorithm>

#include <bus/bus_core.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

reader::totals& reader::totals::operator+=(const totals& more) {
  offered += more.offered;
  delivered += more.delivered;
  failed += more.failed;
  filtered += more.filtered;
  dropped += more.dropped;
  abandoned += more.abandoned;
  retries += more.retries;
  return *this;
}

reader::totals reader::account_of(const cursor& of, bool is_over) {
  totals t;
  if (!of.is_started()) return t;
  t.delivered = of.counts.delivered.load(std::memory_order_relaxed);
  t.filtered = of.counts.filtered.load(std::memory_order_relaxed);
  t.dropped = of.counts.dropped.load(std::memory_order_relaxed);
  t.failed = of.counts.failed.load(std::memory_order_relaxed);
  t.retries = of.counts.retries.load(std::memory_order_relaxed);
  t.offered = of.counts.before_live.load(std::memory_order_relaxed) + of.topic().log().end() - of.live_start();
  if (is_over) t.abandoned = t.offered - std::min(t.offered, t.delivered + t.filtered + t.dropped);
  return t;
}

reader::totals reader::account() const {
  std::lock_guard lock(mutex_);
  totals sum = past_;
  for (const auto& each : cursors_) sum += account_of(*each, false);
  return sum;
}

std::uint64_t reader::lag() const {
  std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& each : cursors_) {
    if (!each->is_started()) continue;
    const std::uint64_t position = each->position();  // before the end, which is then not behind it
    sum += each->replay_left() + each->topic().log().end() - position;
  }
  return sum;
}

std::optional<std::int64_t> reader::oldest_unread() const {
  std::optional<std::int64_t> oldest;
  for (const auto& each : cursors()) {
    if (!each->is_started()) continue;
    std::uint64_t position = each->position();
    const core::log& source = each->topic().log();
    if (position >= source.end()) continue;
    const stretch pinned = source.pin(position);
    if (pinned.holder() == nullptr || position >= source.end()) continue;
    const std::int64_t time = pinned.holder()->at(position)->time;
    oldest = oldest ? std::min(*oldest, time) : time;
  }
  return oldest;
}

bool reader::has_handled(const cursor& of, std::uint64_t sequence) const {
  return of.is_detached() || (of.is_started() && of.has_replayed() && of.position() >= sequence);
}

bool reader::has_read(std::string_view topic, std::uint64_t sequence) const {
  const auto all = cursors();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each->topic().name() == topic; });
  return found == all.end() || has_handled(**found, sequence);
}

}  // namespace actorbus::core
