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
  hands_over_ = in_slice_ && !stream_.expects_more() && !runs_handlers_ && !watched_.load(std::memory_order_relaxed);
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
      runs_handlers_ = runs_handlers_ || message.which->reader().runs_inside();
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
  log_.trim_in_stream(floor_);
}

void topic_core::wake_reader(waker& of) { std::exchange(hands_over_, false) ? of.wake_next() : of.wake(); }

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
    log_.clear_worn();  // what a publisher put back since; partner: leave_worn
    const work left = look_for_work();
    if (left == work::ready) return bell_.ring_out();
    // A push between the look at its lane and the rest rang in vain. If there is no room for it, room must ring: stall
    // after all.
    if (left == work::none || waiting || !bell_.take_idle()) return false;
  }
}

}  // namespace actorbus::core
