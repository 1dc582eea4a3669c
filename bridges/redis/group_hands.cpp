#include <bridges/redis/group_hands.hpp>

#include <algorithm>
#include <utility>

#include <bridges/redis/dead_letter_fields.hpp>

namespace actorbus::redis {

namespace {

/// Entries of one slice of an activity.
constexpr std::size_t slice = 128;

std::string text_of_current() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

class group_hands::hand final : public activity {
 public:
  explicit hand(group_hands& of) : of_(of), alive_(of.weak_from_this()) {}

  void start(const std::shared_ptr<hand>& self, placement where) {
    waker_ = of_.bus_->engine().add(std::weak_ptr<activity>(self), where);
  }
  void wake() { waker_->wake(); }
  bool is_inside() const { return inside_.load(std::memory_order_seq_cst); }

  bool run() override {
    const auto alive = alive_.lock();
    if (!alive) return false;
    inside_.store(true, std::memory_order_seq_cst);  // partner: close(), which looks for those inside
    const bool more = work();
    inside_.store(false, std::memory_order_seq_cst);
    if (of_.closed_.load(std::memory_order_seq_cst)) of_.idle_.publish();
    return more;
  }

 private:
  bool work() {
    core::handler_scope inside(&lanes_);
    for (std::size_t i = 0; i < slice; ++i) {
      if (of_.closed_.load(std::memory_order_seq_cst)) return false;
      group_task* const next = take();
      if (next == nullptr) {
        if (std::exchange(has_worked_, false)) of_.tell_at_once();
        return false;
      }
      if (next->state.load(std::memory_order_acquire) == group_task::outcome::revoked) continue;
      auto result = group_task::outcome::open;
      try {
        result = perform(*next);
      } catch (...) {
        result = failed(*next, text_of_current(), false);
      }
      has_worked_ = true;
      next->state.store(result, std::memory_order_release);
      of_.tell();
    }
    return true;
  }

  group_task* take() {
    for (;;) {
      if (batch_) {
        if (group_task* const next = batch_->take()) return next;
      }
      batch_ = of_.next_batch(*this);
      if (!batch_) return nullptr;
    }
  }

  group_task::outcome perform(group_task& what) {
    if (what.notice) {
      of_.handler_->tell(*what.notice);
      return group_task::outcome::handled;
    }
    fields_.clear();
    events_.clear();
    for (std::size_t i = 0; i + 1 < what.words.size(); i += 2)
      fields_.push_back({what.words[i].text, what.words[i + 1].text});
    if (const fault wrong = read_entry_or_letter(of_.as_, fields_, events_)) return failed(what, wrong, true);
    if (events_.size() == 1) {
      try {
        call(what, events_.front());
        return group_task::outcome::handled;
      } catch (const undecodable& error) {
        return failed(what, error.what(), true);
      } catch (...) {
        return failed(what, text_of_current(), false);
      }
    }
    return perform_each(what);
  }

  /// Those of a packed entry, one after the other; one that fails keeps no other from being handled.
  group_task::outcome perform_each(group_task& what) {
    handled_places handled = what.handled;
    handled.resize(events_.size());
    std::string error;
    bool is_poison = true;
    for (std::size_t i = 0; i < events_.size() && !of_.closed_.load(std::memory_order_relaxed); ++i) {
      if (handled[i]) continue;
      incoming copy = events_[i];
      try {
        call(what, copy);
        handled[i] = true;
      } catch (const undecodable& wrong) {
        error = wrong.what();
      } catch (...) {
        error = text_of_current();
        is_poison = false;
      }
    }
    const auto left = static_cast<std::size_t>(std::count(handled.begin(), handled.end(), false));
    if (left == 0) return group_task::outcome::handled;
    if (error.empty() && of_.closed_.load(std::memory_order_relaxed)) error = "the consumer was ended";
    const auto result = failed(what, std::move(error), is_poison);
    if (left != events_.size()) what.why->rest = rest_of(handled);
    what.why->handled = std::move(handled);
    return result;
  }

  /// The events that are not handled, written as an entry.
  std::vector<std::string> rest_of(const handled_places& handled) {
    std::vector<outgoing> left;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const incoming& each = events_[i];
      if (handled[i]) continue;
      left.push_back({.topic = each.topic,
                      .payload = each.payload,
                      .headers = &each.headers,
                      .content_type = each.content_type,
                      .origin = each.origin,
                      .origin_sequence = each.origin_sequence});
    }
    std::string scratch;
    std::vector<field_view> fields;
    of_.as_.write_entry(left, scratch, fields);
    std::vector<std::string> words;
    for (const auto& each : fields) {
      words.emplace_back(each.name);
      words.emplace_back(each.value);
    }
    return words;
  }

  void call(const group_task& what, incoming& one) {
    of_.handler_->handle(one, of_.as_.entry_shape(), {what.id, what.id_text, what.deliveries});
  }

  static group_task::outcome failed(group_task& what, std::string error, bool is_poison) {
    what.why = std::make_unique<group_task::failure>();
    what.why->error = std::move(error);
    return is_poison ? group_task::outcome::poison : group_task::outcome::failed;
  }

  friend class group_hands;

  group_hands& of_;
  const std::weak_ptr<group_hands> alive_;
  bool idle_ = true;  ///< guarded by the mutex of all hands
  std::unique_ptr<waker> waker_;
  std::atomic<bool> inside_{false};
  core::lane_set lanes_;
  std::shared_ptr<group_batch> batch_;
  bool has_worked_ = false;  ///< since it last had nothing to do
  std::vector<field_view> fields_;
  std::vector<incoming> events_;
};

group_hands::group_hands(std::shared_ptr<core::bus_core> bus, const wire_format& as,
                         std::unique_ptr<group_handler> handler)
    : bus_(std::move(bus)), as_(as), handler_(std::move(handler)) {}

group_hands::~group_hands() = default;

void group_hands::start(std::size_t hands, run_on where, std::function<void()> on_outcome) {
  on_outcome_ = std::move(on_outcome);
  for (std::size_t i = 0; i < hands; ++i) {
    hands_.push_back(std::make_shared<hand>(*this));
    hands_.back()->start(hands_.back(), where == run_on::own_thread ? placement::own_thread : placement::pool);
  }
}

void group_hands::give(std::shared_ptr<group_batch> what) {
  std::size_t wanted = what->tasks.size();
  std::vector<hand*> woken;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(what));
    for (auto at = hands_.begin(); at != hands_.end() && wanted != 0; ++at) {
      if (!std::exchange((*at)->idle_, false)) continue;
      woken.push_back(at->get());
      --wanted;
    }
  }
  for (hand* const each : woken) each->wake();
}

std::shared_ptr<group_batch> group_hands::next_batch(hand& of) {
  std::lock_guard lock(mutex_);
  while (!waiting_.empty() && waiting_.front()->is_exhausted()) waiting_.pop_front();
  if (!waiting_.empty()) return waiting_.front();
  of.idle_ = true;
  return nullptr;
}

/// A read-modify-write also where it changes nothing: rearm's, if it comes behind, sees the outcome stored before.
void group_hands::tell() {
  if (!told_.exchange(true, std::memory_order_seq_cst)) on_outcome_();
}

void group_hands::tell_at_once() {
  told_.exchange(true, std::memory_order_seq_cst);
  on_outcome_();
}

void group_hands::close() { closed_.store(true, std::memory_order_seq_cst); }

void group_hands::wait_idle() {
  std::lock_guard one_at_a_time(ending_);
  idle_.wait_until(core::wait_point::time_point::max(), [this] {
    return std::none_of(hands_.begin(), hands_.end(), [](const auto& each) { return each->is_inside(); });
  });
  handler_.reset();
}

}  // namespace actorbus::redis
