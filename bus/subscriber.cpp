#include <bus/subscriber.hpp>

#include <exception>

#include <bus/bus_core.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

/// Events before other actors have their turn.
constexpr std::size_t slice = 2048;

/// A dead-letter topic that is full is tried again after this.
constexpr std::chrono::milliseconds placing_delay{10};

}  // namespace

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

subscriber::subscriber(std::shared_ptr<bus_core> bus, settings with, conduct how, std::unique_ptr<sink> to)
    : reader(std::move(bus), std::move(with)), how_(std::move(how)), sink_(std::move(to)) {
  owner_ = how_.owner;
  const std::weak_ptr<void> never_set;
  owned_ = owner_.owner_before(never_set) || never_set.owner_before(owner_);
}

subscriber::~subscriber() = default;

void subscriber::start() {
  if (how_.run_on == run_on::topic) return;
  waker_ = bus().engine().add(std::static_pointer_cast<subscriber>(shared_from_this()),
                              how_.run_on == run_on::pool ? placement::pool : placement::own_thread);
}

void subscriber::rung(topic_core* by) {
  if (waker_) return by != nullptr ? by->wake_reader(*waker_) : waker_->wake();
  auto self = std::static_pointer_cast<subscriber>(shared_from_this());
  if (by != nullptr) return by->run_inside(std::move(self), true);
  // A retry or a resume: any of its topics' actors will do.
  for (const auto& each : cursors()) return each->topic().run_inside(std::move(self), false);
  // A pattern without topics: nothing to run, and the next topic's ring must find it at rest.
  if (!bell_.begin()) return;
  bell_.rest();
  if (has_news() && bell_.ring_out()) rung(nullptr);
}

bool subscriber::run() {
  if (!bell_.begin()) return false;
  bool more = true;  // as far as one knows who may not look
  handler_scope inside(
      &lanes_);  // also while the handler is destroyed: what it holds may cancel, and a worker never waits
  if (!must_stop()) more = work();
  return settle(more);
}

bool subscriber::work() {
  if (unplaced_ && !retry_placing()) return true;  // held; settle() sees it
  return read_all(*sink_, slice);
}

bool subscriber::settle(bool more) {
  if (!is_active()) {
    tear_down();
    return false;
  }
  if (more && !must_stop()) {
    bell_.again();
    // Partner: the fence in request_stop(). Whoever cancels just now need not wait until the others had their turn.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return is_active() || !try_tear_down();
  }
  bell_.rest();
  // The second look, at what may have come between the last one and the rest: also a hold's end, which rang in vain.
  if (!is_active()) return try_tear_down(), false;
  if (must_stop()) return false;
  return (more || has_news()) && bell_.ring_out();
}

void subscriber::request_stop(std::uint8_t flag) {
  control_.fetch_or(flag, std::memory_order_relaxed);
  // Partner: the fence of the bell's rest. Either the one who runs it sees the flag, or this finds the bell at rest.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void subscriber::cancel() {
  request_stop(cancelled);
  if (try_tear_down() || in_handler()) return;  // in a handler: whoever runs it tears it down
  // Whoever runs it sees `cancelled` when its slice ends, at the latest in its second look.
  bus().engine().wait(gone_point_, engine::time_point::max(), [this] { return is_gone(); });
}

void subscriber::end(finish_reason why) {
  static_cast<void>(why);
  request_stop(ended);
  try_tear_down();
}

bool subscriber::try_tear_down() {
  if (!bell_.take()) return false;
  tear_down();
  return true;
}

void subscriber::tear_down() {
  const auto self = shared_from_this();  // the cursors may be the last to hold it
  on_tear_down();
  drop_cursors();
  unplaced_.reset();
  sink_.reset();
  over_.store(true, std::memory_order_release);
  bus().forget(*this);
  gone_.store(true, std::memory_order_release);
  gone_point_.publish();
}

void subscriber::pause() { control_.fetch_or(paused, std::memory_order_seq_cst); }

void subscriber::resume() {
  if (lift(paused)) rung(nullptr);
}

bool subscriber::lift(std::uint8_t flags) {
  const auto before = control_.fetch_and(static_cast<std::uint8_t>(~flags), std::memory_order_seq_cst);
  return (before & flags) != 0 && bell_.ring_out();
}

void subscriber::hold_for(std::chrono::nanoseconds delay) {
  control_.fetch_or(held, std::memory_order_relaxed);
  bus().later(delay, [weak = weak_from_this()] {
    if (auto self = weak.lock()) static_cast<subscriber&>(*self).release_hold();
  });
}

void subscriber::release_hold() {
  if (lift(held)) rung(nullptr);
}

bool subscriber::on_failure(const batch& at) {
  const auto error = std::current_exception();
  cursor& c = at.from;
  ++c.attempts;
  report(error, at.from.topic().name());
  if (c.attempts <= how_.on_error.retries()) {
    cursor::bump(c.counts.retries);
    hold_for(how_.on_error.delay(c.attempts));
    return false;
  }
  switch (how_.on_error.finally()) {
    case on_error::outcome::ignore:
      break;
    case on_error::outcome::cancel:
      control_.fetch_or(cancelled, std::memory_order_relaxed);
      break;
    case on_error::outcome::dead_letter: {
      at.holder.pin();
      unplaced letter{stretch(&at.holder, at.first), at.view(at.first), c.attempts, text_of(error), &c,
                      at.replay != nullptr};
      if (!place(letter)) {
        unplaced_ = std::move(letter);
        return false;
      }
      break;
    }
  }
  conclude(at);
  return true;
}

void subscriber::conclude(const batch& at) {
  cursor::bump(at.from.counts.failed);
  cursor::bump(at.from.counts.delivered);
  at.from.attempts = 0;
  at.advance(at.first);
}

bool subscriber::place(const unplaced& letter) {
  if (how_.dead_letters->put(letter.what, letter.attempts, letter.error) == std::error_code{}) return true;
  hold_for(placing_delay);
  return false;
}

bool subscriber::retry_placing() {
  if (!place(*unplaced_)) return false;
  cursor& at = *unplaced_->at;
  const bool is_next =
      unplaced_->is_replay ? at.next_older < at.older.size() : at.position() == unplaced_->what.sequence;
  if (is_next) {
    conclude({at, *unplaced_->what.holder, unplaced_->is_replay ? at.older[at.next_older].first : at.position(), 1,
              unplaced_->is_replay ? &at.older[at.next_older] : nullptr});
  }
  unplaced_.reset();
  return true;
}

void subscriber::on_notice_failure(cursor& at) {
  cursor::bump(at.counts.failed);
  report(std::current_exception(), at.topic().name());
}

void subscriber::on_disconnect(cursor& at, sink& to) {
  control_.fetch_or(ended, std::memory_order_relaxed);
  announce(at, to, finished{at.topic().name(), finish_reason::disconnected});
}

void subscriber::report(std::exception_ptr error, const std::string& where) {
  const auto now = bus().engine().now();
  ++unreported_;
  if (last_report_ != std::chrono::steady_clock::time_point{} && now - last_report_ < std::chrono::seconds{1}) return;
  last_report_ = now;
  bus().report_failure(
      "handler of '" + (set().name.empty() ? set().pattern : set().name) + "' on topic '" + where + "'" +
          (unreported_ > 1 ? " (" + std::to_string(unreported_) + " failures since the last report)" : ""),
      error);
  unreported_ = 0;
}

std::uint64_t subscriber::failures() const { return account().failed; }

}  // namespace actorbus::core
