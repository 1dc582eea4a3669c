// How a bus ends: flush, close and stop. See docs/decisions/closing.md.
#include <algorithm>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/in_handler.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

constexpr std::chrono::nanoseconds first_look{std::chrono::microseconds{20}};
constexpr std::chrono::nanoseconds longest_look{std::chrono::milliseconds{1}};

/// Nobody on the data path announces that all is quiet, so that it costs nothing there: look again and again.
template <class Predicate>
bool look_until(engine& by, wait_point& at, engine::time_point deadline, Predicate done) {
  for (auto step = first_look;; step = std::min(step * 2, longest_look)) {
    if (done()) return true;
    const auto now = by.now();
    if (now >= deadline) return false;
    by.wait(at, deadline - now > step ? now + step : deadline, [&] { return false; });
  }
}

engine::time_point after(engine& by, std::chrono::nanoseconds within) {
  const auto now = by.now();
  return within > engine::time_point::max() - now ? engine::time_point::max() : now + within;
}

}  // namespace

bool bus_core::flush(std::chrono::nanoseconds within) {
  require_outside_handler("flush");
  struct waited_for {
    std::shared_ptr<topic_core> topic;
    topic_core::mark upto;
    bool appended = false;
  };
  std::vector<waited_for> left;
  for (auto& each : all_topics()) left.push_back({each, each->mark_now()});
  return look_until(*engine_, closed_point_, after(*engine_, within), [&] {
    if (groups_have_rests()) return false;
    std::erase_if(left, [](waited_for& each) {
      each.appended = each.appended || each.topic->has_appended(each.upto);
      if (!each.appended) return false;
      const auto cursors = each.topic->cursors();
      return std::all_of(cursors.begin(), cursors.end(), [&](const auto& c) {
        const reader& by = c->reader();
        return !by.counts_for_quiet() || by.is_ended() || by.has_handled(*c, each.upto.sequence);
      });
    });
    return left.empty();
  });
}

bool bus_core::groups_have_rests() const {
  const auto readers = all_readers();
  return std::any_of(readers.begin(), readers.end(), [](const auto& each) {
    return each->holds_up_closing() && !each->is_ended() && each->cursors().empty() && each->lag() != 0;
  });
}

bool bus_core::looks_quiet() const {
  if (!callbacks_->empty() || groups_have_rests()) return false;
  const auto topics = all_topics();
  return std::all_of(topics.begin(), topics.end(), [](const auto& each) { return each->is_quiet(); });
}

std::uint64_t bus_core::appended() const {
  std::uint64_t sum = 0;
  for (const auto& each : all_topics()) sum += each->log().end();
  return sum;
}

bool bus_core::is_quiet() const {
  // One look passes a topic just before a handler of another one publishes there. Two with no append around them do
  // not: between them every topic was quiet at once.
  const std::uint64_t before = appended();
  return looks_quiet() && looks_quiet() && appended() == before;
}

close_report bus_core::close(std::chrono::nanoseconds within, bool drains) {
  require_outside_handler("close");
  const auto deadline = after(*engine_, within);
  auto open = state::open;
  if (!state_.compare_exchange_strong(open, state::closing, std::memory_order_acq_rel)) {
    engine_->wait(closed_point_, engine::time_point::max(), [this] { return is_closed(); });
    std::lock_guard lock(mutex_);
    return report_;
  }
  for (const auto& each : all_topics()) each->set_gate(topic_core::gate::draining);
  bool drained = false;
  std::vector<std::shared_ptr<reader>> left;
  auto end_the_rest = [&] {
    ends_readers_.store(true, std::memory_order_release);
    left = all_readers();
    for (const auto& each : left) each->end(finish_reason::closed);
  };
  if (drains) {
    look_until(*engine_, closed_point_, deadline, [this] { return is_quiet(); });
    run_closing_hooks(deadline);
    drained = look_until(*engine_, closed_point_, deadline, [this] { return is_quiet(); });
  } else {
    end_the_rest();
  }
  topics_.close();
  requests_.close();
  drained = read_to_the_end(deadline) && drained;
  if (drains) end_the_rest();
  close_report report = account(drained, left);
  {
    std::lock_guard lock(mutex_);
    report_ = report;
  }
  state_.store(state::closed, std::memory_order_release);
  closed_point_.publish();
  return report;
}

void bus_core::run_closing_hooks(engine::time_point deadline) {
  for (std::uint64_t last = 0;;) {
    std::function<void(std::chrono::nanoseconds)> hook;
    {
      std::lock_guard lock(mutex_);
      const auto next = std::find_if(closing_hooks_.begin(), closing_hooks_.end(),
                                     [&](const auto& each) { return each.first > last; });
      if (next == closing_hooks_.end()) return;
      last = running_hook_ = next->first;
      hook = next->second;
    }
    try {
      handler_scope inside;  // so that it may publish
      std::exchange(
          hook, nullptr)(std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{deadline - engine_->now()}));
    } catch (...) {
      report_failure("on_closing", std::current_exception());
    }
    {
      std::lock_guard lock(mutex_);
      running_hook_ = 0;
    }
    closed_point_.publish();
  }
}

void bus_core::remove_on_closing(std::uint64_t id) {
  auto runs = [&] {
    std::lock_guard lock(mutex_);
    return running_hook_ == id;
  };
  {
    std::lock_guard lock(mutex_);
    std::erase_if(closing_hooks_, [&](const auto& each) { return each.first == id; });
  }
  if (in_handler() || !runs()) return;
  engine_->wait(closed_point_, engine::time_point::max(), [&] { return !runs(); });
}

bool bus_core::read_to_the_end(engine::time_point deadline) {
  auto open = all_topics();
  look_until(*engine_, closed_point_, deadline, [&] {
    std::erase_if(open, [](const auto& each) { return each->try_close(); });
    return open.empty();
  });
  // The readers read to the end of the closed logs and are told; those that do not in time are ended.
  return look_until(*engine_, closed_point_, deadline, [this] {
    const auto readers = all_readers();
    return std::all_of(readers.begin(), readers.end(), [](const auto& each) {
      return !each->counts_for_quiet() || each->is_ended() || !each->holds_up_closing() ||
             (!each->is_literal() && each->cursors().empty() && each->lag() == 0);
    });
  });
}

close_report bus_core::account(bool drained, const std::vector<std::shared_ptr<reader>>& left) const {
  close_report report;
  report.topics = snapshot().topics;
  account_totals& sum = report.totals;
  std::vector<std::shared_ptr<reader>> living;  // the others are in former_ by now
  {
    std::lock_guard lock(mutex_);
    sum = former_;
    living = readers_alive();
  }
  for (const auto& each : all_topics()) {
    const auto f = each->describe();
    sum.accepted += f.accepted;
    sum.appended += f.appended;
    sum.abandoned_by_topics += f.accepted - f.appended;  // also where a handler inside the topic holds up its end
  }
  for (auto& each : report.topics) each.abandoned = each.accepted - each.appended;
  report.drained = drained && sum.abandoned_by_topics == 0;
  for (const auto& each : living) {
    const auto t = each->account();
    sum.offered += t.offered;
    sum.delivered += t.delivered;
    sum.failed += t.failed;
    sum.filtered += t.filtered;
    sum.dropped += t.dropped;
    sum.abandoned_by_subscriptions += t.offered - std::min(t.offered, t.delivered + t.filtered + t.dropped);
  }
  for (const auto& each : left) {
    auto& s = report.subscriptions.emplace_back(describe(*each));
    s.abandoned = s.offered - std::min(s.offered, s.delivered + s.filtered + s.dropped);
  }
  return report;
}

void bus_core::stop() {
  // Coroutines that waited for an inbox are resumed first: nobody could do it later.
  look_until(*engine_, closed_point_, engine::time_point::max(), [this] {
    const auto readers = all_readers();
    return std::none_of(readers.begin(), readers.end(), [](const auto& each) { return each->awaits_worker(); });
  });
  engine_->stop();
  timers_->stop();
  for (const auto& each : all_topics()) each->try_close();
  for (const auto& each : all_readers()) each->end(finish_reason::closed);
  topics_.clear();
  requests_.clear();
  while (!callbacks_->empty()) callbacks_->run();  // nobody else does any more: what became of the last requests
  std::unordered_map<std::string, std::shared_ptr<group>> groups;
  std::lock_guard lock(joining_);
  groups.swap(groups_);
}

}  // namespace actorbus::core
