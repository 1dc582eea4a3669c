#include <bus/inbox_core.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <bus/bus_core.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

inbox_core::inbox_core(std::shared_ptr<bus_core> bus, settings with) : reader(std::move(bus), std::move(with)) {}

inbox_core::~inbox_core() {
  if (const int fd = fd_.load(std::memory_order_relaxed); fd >= 0) ::close(fd);
}

void inbox_core::poll(sink& to, std::size_t budget) {
  if (!has_news() && !has_left_over_.load(std::memory_order_relaxed)) return;
  if (!bell_.take()) return;
  struct resting {
    inbox_core& self;
    ~resting() { self.rest(); }
  } at_the_end{*this};
  handler_scope inside;
  read_present(to, budget);
}

void inbox_core::rest() {
  if (must_stop()) {  // ended: let the topics go, and never give the right to run back
    has_left_over_.store(false, std::memory_order_release);
    return drop_cursors();
  }
  const bool left_over = has_ready();
  has_left_over_.store(left_over, std::memory_order_release);
  if (left_over) return bell_.again();  // still rung: whoever waits sees it, and nobody need ring
  clear_signal();
  bell_.rest();
  if (has_news() && bell_.ring_out()) rung(nullptr);
}

bool inbox_core::is_closed() const {
  if ((control_.load(std::memory_order_acquire) & (cancelled | ended)) != 0) return true;
  return bus_is_over_.load(std::memory_order_acquire) && cursors().empty();
}

bool inbox_core::wait(engine::time_point deadline) {
  if (is_readable()) return true;
  if (in_handler()) return false;
  return bus().engine().wait(readable_, deadline, [this] { return is_readable(); });
}

int inbox_core::readable_fd() {
  int fd = fd_.load(std::memory_order_acquire);
  if (fd >= 0) return fd;
  const int fresh = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fresh < 0) throw std::system_error(errno, std::generic_category(), "inbox::readable_fd");
  fd_.store(fresh, std::memory_order_release);
  // Partner: the fence in ring(). Either the ringer sees the descriptor, or this sees what it rang for.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (is_readable()) signal();
  return fresh;
}

void inbox_core::signal() {
  const int fd = fd_.load(std::memory_order_acquire);
  if (fd < 0) return;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(fd, &one, sizeof one));  // fails only when the counter is full: then it is readable
}

void inbox_core::clear_signal() {
  const int fd = fd_.load(std::memory_order_acquire);
  if (fd < 0 || is_closed()) return;  // a closed inbox stays readable, so that its owner finds out
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd, &count, sizeof count));
}

void inbox_core::rung(topic_core*) {
  signal();
  readable_.publish();
  std::lock_guard lock(mutex_);
  if (when_readable_ && waker_) waker_->wake();
}

void inbox_core::notify_once(std::function<void()> when_readable) {
  std::lock_guard lock(mutex_);
  if (!waker_) {
    waker_ = bus().engine().add(std::static_pointer_cast<inbox_core>(shared_from_this()), placement::pool);
  }
  when_readable_ = std::move(when_readable);
  if (is_readable()) waker_->wake();
}

bool inbox_core::awaits_worker() {
  std::lock_guard lock(mutex_);
  return when_readable_ && is_readable();
}

bool inbox_core::run() {
  std::function<void()> now;
  {
    std::lock_guard lock(mutex_);
    if (is_readable()) now = std::exchange(when_readable_, nullptr);
  }
  if (!now) return false;
  handler_scope inside;
  now();
  return false;
}

void inbox_core::close() {
  control_.fetch_or(cancelled, std::memory_order_seq_cst);
  if (bell_.take()) drop_cursors();  // never given back
  bus().forget(*this);
  rung(nullptr);
}

void inbox_core::end(finish_reason) {
  bus_is_over_.store(true, std::memory_order_release);
  rung(nullptr);
}

bool inbox_core::on_failure(const batch& at) {
  cursor::bump(at.from.counts.failed);
  cursor::bump(at.from.counts.delivered);
  at.advance(at.first);
  if (at.replay == nullptr) tell_room(at.from);
  throw;
}

void inbox_core::on_notice_failure(cursor&) { throw; }

void inbox_core::on_disconnect(cursor& at, sink& to) {
  control_.fetch_or(ended, std::memory_order_relaxed);
  announce(at, to, finished{at.topic().name(), finish_reason::disconnected});
  rung(nullptr);
}

void inbox_core::on_finished(finish_reason) {
  control_.fetch_or(ended, std::memory_order_release);
  rung(nullptr);
}

}  // namespace actorbus::core
