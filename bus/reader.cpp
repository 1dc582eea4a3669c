#include <bus/reader.hpp>

#include <algorithm>

#include <bus/bus_core.hpp>
#include <bus/names.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

/// Entries between two looks at what stalls a topic. The cost of that look is spread over this many.
constexpr std::size_t max_batch = 128;

/// Entries of one cursor before the next ready one has its turn.
constexpr std::size_t turn = 256;

}  // namespace

reader::reader(std::shared_ptr<bus_core> bus, settings with)
    : bus_(std::move(bus)), set_(std::move(with)), literal_(actorbus::is_literal(set_.pattern)) {}

reader::~reader() = default;

void reader::make_ready(cursor& which, topic_core* by) {
  cursor* head = ready_.load(std::memory_order_relaxed);
  do {
    which.next_ready = head;
    // Release, partner of collect_ready's acquire: the link and everything before.
  } while (!ready_.compare_exchange_weak(head, &which, std::memory_order_release, std::memory_order_relaxed));
  if (bell_.ring()) rung(by);
}

std::shared_ptr<cursor> reader::add_cursor(std::shared_ptr<topic_core> topic) {
  auto fresh =
      std::make_shared<cursor>(topic, shared_from_this(), cursor::limits{set_.overflow, set_.capacity}, set_.from);
  std::lock_guard lock(mutex_);
  if (dropped_) {  // a pattern's next topic came when the reader had just ended
    fresh->detach();
    return fresh;
  }
  if (literal_) topic->add_literal(1);
  cursors_.push_back(fresh);
  return fresh;
}

std::shared_ptr<cursor> reader::add_ledger(std::shared_ptr<topic_core> topic) {
  auto fresh = std::make_shared<cursor>(topic, shared_from_this(), cursor::limits{set_.overflow, 0}, replay::live());
  if (literal_) topic->add_literal(1);
  fresh->start({}, 0, 0);
  std::lock_guard lock(mutex_);
  cursors_.push_back(fresh);
  return fresh;
}

void reader::drop_cursors() {
  bus_->topics().uncover(*this);  // first: no topic made meanwhile may get a cursor that nobody reads
  std::vector<std::shared_ptr<cursor>> gone;
  {
    std::lock_guard lock(mutex_);
    dropped_ = true;
    gone.swap(cursors_);
    for (const auto& each : gone) past_ += account_of(*each, true);
  }
  first_local_ = last_local_ = nullptr;
  ready_.store(nullptr, std::memory_order_relaxed);
  for (auto& each : gone) {
    each->pinned.release();
    // Until it is started its topic's writer fills `older`, and while it awaits them a source of history does.
    if (each->is_started() && !each->awaits_history.load(std::memory_order_acquire)) each->older.clear();
    if (literal_) each->topic().add_literal(-1);
    each->topic().detach(each);
  }
}

std::vector<std::shared_ptr<cursor>> reader::cursors() const {
  std::lock_guard lock(mutex_);
  return cursors_;
}

bool reader::lock_set_owner(std::shared_ptr<void>& alive) {
  alive = owner_.lock();
  if (alive) return true;
  control_.fetch_or(cancelled, std::memory_order_relaxed);
  return false;
}

void reader::collect_ready() {
  if (ready_.load(std::memory_order_relaxed) == nullptr) return;
  cursor* newest = ready_.exchange(nullptr, std::memory_order_acquire);
  cursor* oldest = nullptr;  // the list is newest first: turn it round
  cursor* last = newest;
  while (newest != nullptr) {
    cursor* next = std::exchange(newest->next_ready, oldest);
    oldest = std::exchange(newest, next);
  }
  if (oldest == nullptr) return;
  (first_local_ == nullptr ? first_local_ : last_local_->next_ready) = oldest;
  last_local_ = last;
}

cursor* reader::pop_ready() {
  cursor* first = first_local_;
  if (first == nullptr) return nullptr;
  first_local_ = std::exchange(first->next_ready, nullptr);
  if (first_local_ == nullptr) last_local_ = nullptr;
  return first;
}

void reader::push_local(cursor& which) {
  which.next_ready = nullptr;
  (first_local_ == nullptr ? first_local_ : last_local_->next_ready) = &which;
  last_local_ = &which;
}

void reader::return_local(cursor& which) {
  which.next_ready = first_local_;
  if (first_local_ == nullptr) last_local_ = &which;
  first_local_ = &which;
}

bool reader::read_all(sink& to, std::size_t budget) {
  while (budget != 0 && !must_stop()) {
    collect_ready();
    cursor* at = pop_ready();
    if (at == nullptr) return false;
    std::size_t slice = first_local_ == nullptr ? budget : std::min(budget, turn);
    const std::size_t given = slice;
    progress how;
    try {
      how = read(*at, to, slice);
    } catch (...) {
      return_local(*at);
      throw;
    }
    budget -= given - slice;
    if (how == progress::more) push_local(*at);
    if (how == progress::stopped) {
      return_local(*at);
      break;
    }
  }
  return has_ready();
}

void reader::read_present(sink& to, std::size_t budget) {
  collect_ready();
  const cursor* const last = last_local_;
  for (bool was_last = last == nullptr; !was_last && budget != 0 && !must_stop();) {
    cursor& at = *pop_ready();
    was_last = &at == last;
    const std::uint64_t horizon = at.topic().log().end();
    progress how = progress::more;
    try {
      for (std::size_t slice = 0; how == progress::more && slice == 0 && budget != 0;) {
        slice = budget;
        filtered_ = 0;
        how = read(at, to, slice, horizon);
        budget = slice + filtered_;
      }
    } catch (...) {
      return_local(at);
      throw;
    }
    if (how == progress::more) push_local(at);
    if (how == progress::stopped) return return_local(at);
  }
}

reader::progress reader::read(cursor& at, sink& to, std::size_t& budget, std::uint64_t horizon) {
  const core::log& source = at.topic().log();
  while (!must_stop()) {
    if (budget == 0) return progress::more;
    if (at.history) {
      ask_history(at);
      return progress::gone;
    }
    if (at.trimmed != 0) {
      const std::uint64_t count = std::exchange(at.trimmed, 0);
      const std::uint64_t next = at.next_older < at.older.size() ? at.older[at.next_older].first : at.live_start();
      announce(at, to, lagged{at.topic().name(), count, next - count, next - 1});
      continue;
    }
    if (at.next_older < at.older.size()) {
      replayed& now = at.older[at.next_older];
      if (now.first == now.past) {
        now.pinned.release();
        ++at.next_older;
        continue;
      }
      const std::size_t count = std::min<std::uint64_t>({now.past - now.first, budget, max_batch});
      if (!take(at, to, {at, *now.pinned.holder(), now.first, count, &now}, budget)) return progress::stopped;
      continue;
    }
    if (at.tells_caught_up) {
      at.tells_caught_up = false;
      const std::uint64_t replayed_to = !at.older.empty() && at.older.back().numbered ? at.live_start() - 1 : 0;
      at.older.clear();
      at.older.shrink_to_fit();
      at.next_older = 0;
      announce(at, to, caught_up{at.topic().name(), replayed_to});
      continue;
    }
    std::uint64_t position = at.position();
    const std::uint64_t end = source.end();
    if (position == end) {
      if (const auto done = come_to_rest(at, to)) return *done;
      continue;
    }
    if (position >= horizon) return progress::more;
    if (!at.blocks() && end - position > at.capacity()) {
      if (!skip_to(end - at.capacity(), at, to)) return progress::stopped;
      continue;
    }
    if (!at.pinned.holds(position)) {
      at.pinned.release();
      std::uint64_t pinned_from = position;
      at.pinned = source.pin(pinned_from);
      if (pinned_from != position) {  // trimmed meanwhile: it lagged too far
        if (!skip_to(pinned_from, at, to)) return progress::stopped;
        continue;
      }
    }
    chunk& holder = *at.pinned.holder();
    const std::uint64_t past = std::min({end, horizon, holder.limit()});
    const std::size_t count = std::min<std::uint64_t>({past - position, budget, max_batch});
    if (!take(at, to, {at, holder, position, count, nullptr}, budget)) return progress::stopped;
  }
  at.pinned.release();
  return progress::stopped;
}

bool reader::take(cursor& at, sink& to, const batch& entries, std::size_t& budget) {
  bool goes_on = true;
  const std::uint64_t before = entries.progress();
  const std::uint64_t filtered = at.counts.filtered.load(std::memory_order_relaxed);
  try {
    to.take(*this, entries);
  } catch (...) {
    if (entries.progress() != before) at.attempts = 0;  // those were an earlier entry's
    goes_on = on_failure({at, entries.holder, entries.progress(), 1, entries.replay});
  }
  const std::uint64_t taken = entries.progress() - before;
  if (taken != 0) at.attempts = goes_on ? 0 : at.attempts;
  filtered_ += at.counts.filtered.load(std::memory_order_relaxed) - filtered;
  budget -= std::min<std::size_t>(budget, std::max<std::size_t>(taken, 1));
  if (entries.replay == nullptr) tell_room(at);
  return goes_on && !must_stop();
}

void reader::tell_room(cursor& at) {
  // Partner: the fence of a stalling topic. Either it sees the new position, or this sees the stall.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  at.topic().made_room(at);
}

bool reader::skip_to(std::uint64_t position, cursor& at, sink& to) {
  const std::uint64_t from = at.position();
  if (at.overflow() == overflow::disconnect) {
    on_disconnect(at, to);
    return false;
  }
  cursor::bump(at.counts.dropped, position - from);
  at.attempts = 0;
  at.advance(position);
  if (at.overflow() != overflow::latest)
    announce(at, to, lagged{at.topic().name(), position - from, from, position - 1});
  return !must_stop();
}

std::optional<reader::progress> reader::come_to_rest(cursor& at, sink& to) {
  at.pinned.release();
  topic_core& topic = at.topic();
  const std::uint64_t position = at.position();
  auto at_end = [&] { return topic.has_ended() && topic.log().end() == position; };
  if (at_end()) {
    const auto why = topic.end_reason();
    if (why) announce(at, to, finished{topic.name(), *why});
    let_go(at);
    if (literal_ && why) on_finished(*why);
    return progress::gone;
  }
  at.rest();
  // Partner: the fence between the topic's store of its log's end (or of having ended) and its look at `ready`.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((topic.log().end() != position || topic.has_ended()) && at.mark_ready()) return std::nullopt;
  topic.reader_rested();
  return progress::idle;
}

void reader::let_go(cursor& at) {
  std::shared_ptr<cursor> gone;
  {
    std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(cursors_.begin(), cursors_.end(), [&](const auto& each) { return each.get() == &at; });
    if (found == cursors_.end()) return;
    gone = std::move(*found);
    cursors_.erase(found);
    past_ += account_of(*gone, true);
  }
  if (literal_) gone->topic().add_literal(-1);
  gone->topic().detach(gone);
}

void reader::announce(cursor& at, sink& to, const notice& what) {
  std::shared_ptr<void> alive;
  if (!lock_owner(alive)) return;
  try {
    to.tell(what);
  } catch (...) {
    on_notice_failure(at);
  }
}

}  // namespace actorbus::core
