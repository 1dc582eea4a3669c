// The writer's side of a topic: one step of draining lanes, carrying out control messages, appending, ringing and
// trimming.
#include <algorithm>
#include <limits>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/history_source.hpp>
#include <bus/process_fence.hpp>
#include <bus/reader.hpp>
#include <bus/subscriber.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

bool topic_core::run() {
  if (!bell_.begin()) return false;  // somebody else did it meanwhile
  for (int steps = 0; steps < steps_in_a_row; ++steps) {
    in_slice_ = true;
    step();
    in_slice_ = false;
    const bool inside_more = run_inside_readers();
    if (watched_.load(std::memory_order_relaxed)) watch_pressure();
    if (inside_more) break;
    if (!linger_for_more()) return rest_or_continue();
  }
  bell_.again();
  return true;
}

/// In a stream of events publishers then need not ring, and do not pay for waking anybody. True: there is more.
bool topic_core::linger_for_more() {
  return stream_.wait(bus_->engine(), [this] {
    if (controls_posted_.load(std::memory_order_relaxed) || inside_posted_.load(std::memory_order_relaxed)) return true;
    for (const auto& [each, tail] : seen_) {
      if (each->pushed() != tail) return set_unfenced(), true;
    }
    return false;
  });
}

/// While it lasts, publishers only push and look: a fence would make each event wait until the last one is visible.
void topic_core::set_unfenced() {
  if (!process_fence::is_available()) return;
  for (const auto& [each, tail] : seen_) each->set_fenced(false);
  has_unfenced_ = true;
}

/// Before a rest, and before lanes are sealed.
void topic_core::set_fenced() {
  if (!std::exchange(has_unfenced_, false)) return;
  for (const auto& [each, tail] : seen_) each->set_fenced(true);
  process_fence::issue();
}

void topic_core::step() {
  wants_trim_.store(false, std::memory_order_relaxed);
  look_at_lanes();
  take_controls();
  survey();
  std::size_t budget = step_budget;
  const std::int64_t time = time_stamp();
  settle_all(budget, time);
  const bool reached = pending_.empty() && drain_to(seen_, budget, time);
  if (reached) {
    stream_.took(step_budget - budget, bus_->engine().now());
  } else {
    stream_.fell_behind();
  }
  // Nothing that takes long may come between: no handlers inside the topic, and no lingering.
  hands_over_ = in_slice_ && !stream_.expects_more() && !watched_.load(std::memory_order_relaxed) &&
                !inside_posted_.load(std::memory_order_relaxed);
  if (must_close()) close_here(budget, time);
  make_known();
}

void topic_core::settle_all(std::size_t& budget, std::int64_t time) {
  auto next = pending_.begin();
  while (next != pending_.end() && settle(*next, budget, time)) {
    unsettled_.fetch_sub(1, std::memory_order_release);
    ++next;
  }
  pending_.erase(pending_.begin(), next);
}

void topic_core::close_here(std::size_t& budget, std::int64_t time) {
  do {
    // A publish that was under way when the gate was shut has returned without an error: append it if there is room.
    look_at_lanes();
    survey();
    std::size_t everything = std::numeric_limits<std::size_t>::max();
    drain_to(seen_, everything, time);
    for (auto& [each, tail] : seen_) {
      if (!each->empty() && limit_ <= log_.next()) {
        abandoned_.fetch_add(each->discard(make_error_code(errc::closed)), std::memory_order_relaxed);
      }
    }
  } while (!seal_lanes());
  settle_all(budget, time);  // whoever attached behind what is gone now
  log_.publish();
  std::uint8_t open = 0;
  ended_.compare_exchange_strong(open, static_cast<std::uint8_t>(finish_reason::closed) + 1, std::memory_order_acq_rel);
  rung_to_ = log_.next() + 1;  // so that every reader is rung, also at its end
}

void topic_core::look_at_lanes() {
  if (const auto version = lanes_version_.load(std::memory_order_acquire); version != seen_version_) {
    std::lock_guard lock(mutex_);
    seen_version_ = lanes_version_.load(std::memory_order_relaxed);
    std::erase_if(lanes_, [this](const auto& each) {  // publishers come and go: nobody pushes into a lane that was left
      const bool gone = each->was_left() && each->empty();
      if (gone) accepted_in_gone_.fetch_add(each->drained(), std::memory_order_relaxed);
      return gone;
    });
    seen_.clear();
    for (const auto& each : lanes_) seen_.emplace_back(each, 0);
  }
  for (auto& [each, tail] : seen_) tail = each->pushed();
}

void topic_core::take_controls() {
  if (!controls_posted_.load(std::memory_order_acquire)) return;
  std::lock_guard lock(mutex_);
  controls_posted_.store(false, std::memory_order_relaxed);
  std::move(posted_.begin(), posted_.end(), std::back_inserter(pending_));
  posted_.clear();
}

void topic_core::survey() {
  const std::uint64_t end = log_.next();
  limit_ = append_limit();
  floor_ = end - std::min<std::uint64_t>(options().history, end - log_.first());
  for (const auto& each : cursors_) {
    if (!each->is_detached()) floor_ = std::min(floor_, each->floor(end));
  }
}

bool topic_core::settle(control& message, std::size_t& budget, std::int64_t time) {
  switch (message.what) {
    case control::kind::attach:
      if (message.which->is_detached()) return true;
      if (!drain_to(message.lanes, budget, time)) return false;
      place(*message.which);
      {
        std::lock_guard lock(mutex_);
        cursors_.push_back(message.which);
      }
      survey();
      return true;
    case control::kind::detach: {
      std::lock_guard lock(mutex_);
      std::erase(cursors_, message.which);
    }
      survey();
      return true;
    case control::kind::finish:
      return settle_finish(budget, time);
  }
  return true;
}

bool topic_core::settle_finish(std::size_t& budget, std::int64_t time) {
  look_at_lanes();
  if (!drain_to(seen_, budget, time) || !seal_lanes()) return false;
  log_.publish();
  ended_.store(static_cast<std::uint8_t>(finish_reason::finished) + 1, std::memory_order_release);
  rung_to_ = log_.next() + 1;  // so that every reader is rung, also at its end
  return true;
}

void topic_core::place(cursor& which) {
  log_.publish();
  const std::uint64_t end = log_.next();
  const std::uint64_t kept = std::min<std::uint64_t>(options().history, end - log_.first());
  const std::uint64_t oldest = std::max(end - kept, std::min(log_.begin(), end));
  const replay& from = which.from();
  std::uint64_t start = end;
  std::uint64_t trimmed = 0;
  bool reaches_back = false;  // beyond what the log has
  switch (from.kind()) {
    case replay_kind::live:
      break;
    case replay_kind::last:
      reaches_back = from.count() > end - oldest;
      start = reaches_back ? oldest : end - from.count();
      break;
    case replay_kind::all:
      reaches_back = true;
      start = oldest;
      break;
    case replay_kind::after:
      start = std::min(from.sequence() + 1, end);
      if (start < oldest) {
        trimmed = oldest - start;
        start = oldest;
      }
      break;
    case replay_kind::since: {
      const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(from.time().time_since_epoch()).count();
      start = first_since(since, oldest, end);
      reaches_back = start == oldest;
      break;
    }
  }
  if (reaches_back) which.history = history_source();
  which.start(replay_from(start, end), end, trimmed);
  if ((from.kind() != replay_kind::live || has_ended()) && which.mark_ready()) which.reader().make_ready(which, this);
}

std::vector<replayed> topic_core::replay_from(std::uint64_t start, std::uint64_t end) {
  std::vector<replayed> older;
  while (start < end) {
    std::uint64_t position = start;
    stretch pinned = log_.pin(position);
    const std::uint64_t past = std::min(end, pinned.holder()->first() + pinned.holder()->capacity());
    older.push_back({std::move(pinned), position, past});
    start = past;
  }
  return older;
}

std::uint64_t topic_core::first_since(std::int64_t time, std::uint64_t oldest, std::uint64_t end) {
  // Times never decrease along the log, so bisect.
  while (oldest < end) {
    std::uint64_t middle = oldest + (end - oldest) / 2;
    const stretch pinned = log_.pin(middle);
    if (pinned.holder()->at(middle)->time < time) {
      oldest = middle + 1;
    } else {
      end = middle;
    }
  }
  return oldest;
}

bool topic_core::drain_to(const tails& upto, std::size_t& budget, std::int64_t time) {
  bool reached = true;
  const std::size_t lanes = upto.size();
  for (std::size_t i = 0; i < lanes; ++i) {
    const auto& [from, tail] = upto[(first_lane_ + i) % lanes];
    const std::uint64_t drained = from->drained();
    if (drained >= tail || from->is_sealed()) continue;  // a push since the seal is its publisher's
    const std::uint64_t room = limit_ > log_.next() ? limit_ - log_.next() : 0;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>({tail - drained, room, budget}));
    const std::size_t taken = most == 0 ? 0 : from->drain(log_, most, time);
    budget -= taken;
    if (drained + taken < tail) reached = false;
  }
  ++first_lane_;
  return reached;
}

void topic_core::make_known() {
  log_.publish();
  // Partner: the fence of a reader's rest (its `ready` against our `end`) and of a waiting publisher.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (rung_to_ != log_.next()) {
    const bool ended = rung_to_ > log_.next();
    rung_to_ = log_.next();
    std::uint64_t oldest = rung_to_;
    for (const auto& each : cursors_) {
      if (each->mark_ready()) each->reader().make_ready(*each, this);
      if (!each->is_detached()) oldest = std::min(oldest, std::max(each->position(), each->floor(rung_to_)));
    }
    if (!ended && rung_to_ - oldest > high_water_.load(std::memory_order_relaxed)) {
      high_water_.store(rung_to_ - oldest, std::memory_order_relaxed);
    }
    for (const auto& [each, tail] : seen_) each->room().notify();
  }
  hands_over_ = false;
  log_.trim(floor_);
}

void topic_core::wake_reader(waker& of) { std::exchange(hands_over_, false) ? of.wake_next() : of.wake(); }

bool topic_core::seal_lanes() {
  set_fenced();
  look_at_lanes();
  bool all = true;
  for (const auto& [each, tail] : seen_) {
    if (each->is_sealed() || each->seal()) {
      remove_lane(*each);
    } else {
      all = false;
    }
  }
  look_at_lanes();
  return all && seen_.empty();
}

void topic_core::remove_lane(lane& gone) {
  gone.room().publish();  // whoever waits for room in it finds it sealed
  std::lock_guard lock(mutex_);
  accepted_in_gone_.fetch_add(gone.drained(), std::memory_order_relaxed);  // a push since the seal is its publisher's
  std::erase_if(lanes_, [&](const auto& each) { return each.get() == &gone; });
  lanes_version_.fetch_add(1, std::memory_order_release);
}

bool topic_core::run_inside_readers() {
  if (!inside_posted_.load(std::memory_order_relaxed)) return false;
  std::vector<std::shared_ptr<subscriber>> now;
  {
    std::lock_guard lock(mutex_);
    inside_posted_.store(false, std::memory_order_relaxed);
    now.swap(inside_);
  }
  bool more = false;
  for (auto& each : now) {
    if (!each->run()) continue;
    more = true;
    run_inside(std::move(each), true);
  }
  return more;
}

void topic_core::watch_pressure() {
  std::vector<std::shared_ptr<watch>> crossed;
  std::size_t depth;
  {
    std::lock_guard lock(mutex_);
    depth = backlog();
    for (const auto& each : watches_) {
      if (each->above ? depth > each->low : depth < each->high) continue;
      each->above = !each->above;
      crossed.push_back(each);
    }
  }
  for (const auto& each : crossed) {
    handler_scope inside;
    try {
      each->callback(each->above ? pressure::high : pressure::low, depth);
    } catch (...) {
      bus_->report_failure("on_pressure of topic '" + name() + "'", std::current_exception());
    }
  }
}

bool topic_core::rest_or_continue(bool reclaims_later) {
  if (log_.keeps_resources()) {
    survey();
    log_.trim(floor_);
  }
  if (reclaims_later) plan_reclaim();
  set_fenced();
  for (;; look_at_lanes()) {
    bool waiting = !pending_.empty();
    for (const auto& [each, tail] : seen_) waiting = waiting || !each->empty();
    if (waiting) {
      bell_.stall();
    } else {
      bell_.rest();
    }
    const work left = look_for_work();
    if (left == work::ready) return bell_.ring_out();
    // A push between the look at its lane and the rest rang in vain. If there is no room for it, room must ring: stall
    // after all.
    if (left == work::none || waiting || !bell_.take_idle()) return false;
  }
}

bool topic_core::take_for_direct_append(std::int64_t& time) {
  time = time_stamp();
  if (time - log_.last_time() < alone_after || !bell_.take_idle()) return false;
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

void topic_core::plan_reclaim() {
  if (reclaim_planned_.load(std::memory_order_relaxed) || reclaim_planned_.exchange(true, std::memory_order_acq_rel))
    return;
  bus_->later(bus_->options().reclaim_after, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->reclaim();
  });
}

void topic_core::reclaim() {
  reclaim_planned_.store(false, std::memory_order_release);
  if (is_retired() || bus_->is_closing()) return;
  if (!bell_.take()) return plan_reclaim();
  step();
  reclaim_lanes();
  const bool is_busy = std::exchange(reclaim_mark_, log_.next()) != log_.next();
  if (!is_busy) log_.give_back();
  const bool is_unread = std::any_of(cursors_.begin(), cursors_.end(),
                                     [this](const auto& each) { return each->position() != log_.next(); });
  if (rest_or_continue(is_busy || is_unread || !seen_.empty() || log_.has_undestroyed())) wake();
  if (!is_busy && is_retirable()) bus_->retire(*this);
}

void topic_core::reclaim_lanes() {
  set_fenced();
  for (const auto& [each, tail] : seen_) {
    const bool is_idle = std::exchange(each->reclaim_mark, each->drained()) == each->drained() || each->was_left();
    if (is_idle && each->empty() && each->seal()) remove_lane(*each);
  }
  look_at_lanes();
  survey();
  log_.trim(floor_);
}

}  // namespace actorbus::core
