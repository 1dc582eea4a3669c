#include <bus/group_member.hpp>

#include <bus/bus_core.hpp>
#include <bus/entry_loop.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

/// Events of one slice.
constexpr std::size_t member_slice = 256;

}  // namespace

group_member::group_member(std::shared_ptr<group> of, settings with, conduct how, std::unique_ptr<sink> to)
    : subscriber(of->bus().shared_from_this(), std::move(with), std::move(how), std::move(to)), group_(std::move(of)) {}

bool group_member::run() {
  const bool goes_on = subscriber::run();
  if (!goes_on && must_stop()) group_->pass_on_wake();
  return goes_on;
}

void group_member::cancel() {
  subscriber::cancel();
  // The last to leave ends the group, whose `where` and key are the user's too: they are not called any more either.
  if (!in_handler() && !group_->is_active()) group_->cancel();
}

bool group_member::ring_if_idle() {
  if (must_stop() || !bell_.ring()) return false;
  rung(nullptr);
  return true;
}

cursor& group_member::ledger_for(const std::shared_ptr<topic_core>& topic) {
  auto& known = ledgers_[topic.get()];
  if (!known) known = add_ledger(topic);
  return *known;
}

bool group_member::work() {
  std::size_t budget = member_slice;
  while (budget != 0 && !must_stop()) {
    if (!current_) current_ = group_->claim(*this);
    if (!current_) return tell_finished();
    cursor& ledger = ledger_for(current_->topic);
    if (unplaced_) {
      if (!retry_placing()) return true;  // held; settle() sees it
    } else {
      if (ledger.older.empty()) ledger.older.resize(1);
      ledger.next_older = 0;
      ledger.older[0].first = current_->index;
      ledger.older[0].past = current_->index + 1;
      ledger.older[0].numbered = current_->numbered;
      ledger.attempts = current_->attempts;
      take(ledger, handler(), {ledger, *current_->pinned.holder(), current_->index, 1, &ledger.older[0]}, budget);
    }
    if (!current_) continue;  // parked
    if (ledger.older[0].first == ledger.older[0].past) {
      group_->finish(*current_);
      current_.reset();
    } else {
      current_->attempts = ledger.attempts;
    }
  }
  return true;
}

bool group_member::tell_finished() {
  const auto why = group_->has_finished();
  if (!why) return false;
  const finished last{set().pattern, *why};
  std::shared_ptr<void> alive;
  try {
    if (lock_owner(alive)) handler().tell(last);
  } catch (...) {
    report(std::current_exception(), set().pattern);
  }
  control_.fetch_or(ended, std::memory_order_relaxed);
  return false;
}

bool group_member::on_failure(const batch& at) {
  const std::size_t failed = at.from.attempts + 1;
  if (!current_->key || failed > how().on_error.retries()) return subscriber::on_failure(at);
  cursor::bump(at.from.counts.retries);
  report(std::current_exception(), at.from.topic().name());
  current_->attempts = failed;
  group_->park(std::move(*current_), how().on_error.delay(failed));
  current_.reset();
  return false;
}

void group_member::on_tear_down() {
  std::vector<shared_event> unfinished;
  if (current_) unfinished.push_back(std::move(*current_));
  current_.reset();
  bus().leave_group(group_, *this, std::move(unfinished));
  ledgers_.clear();
}

}  // namespace actorbus::core
