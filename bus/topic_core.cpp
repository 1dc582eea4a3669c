#include <bus/topic_core.hpp>

#include <algorithm>
#include <string>

#include <bus/bus_core.hpp>
#include <bus/errors.hpp>
#include <bus/reader.hpp>
#include <bus/subscriber.hpp>

namespace actorbus::core {

namespace {

const topic_options default_options;

std::atomic<std::uint64_t> next_topic_id{1};

void require_valid(const topic_options& options, const std::string& name) {
  auto refuse = [&](const char* what) {
    throw bus_error(errc::invalid_argument, "topic '" + name + "': " + what + " must be at least 1");
  };
  if (options.capacity == 0) refuse("capacity");
  if (options.lane == 0) refuse("lane");
}

}  // namespace

topic_core::topic_core(std::shared_ptr<bus_core> bus, std::shared_ptr<topic_identity> identity,
                       std::uint64_t first_sequence)
    : bus_(std::move(bus)),
      identity_(std::move(identity)),
      id_(next_topic_id.fetch_add(1, std::memory_order_relaxed)),
      log_(identity_, first_sequence),
      options_(&default_options),
      rung_to_(first_sequence) {}

topic_core::~topic_core() = default;

void topic_core::configure(const topic_options& explicitly) {
  require_valid(explicitly, name());
  std::lock_guard lock(mutex_);
  if (explicit_options_) {
    if (*explicit_options_ == explicitly) return;
    auto say = [](const topic_options& o) {
      return "{capacity " + std::to_string(o.capacity) + ", history " + std::to_string(o.history) + ", lane " +
             std::to_string(o.lane) + ", spill " + std::to_string(o.spill) + (o.intercept ? ", intercept}" : "}");
    };
    throw bus_error(errc::options_mismatch, "topic '" + name() + "' has options " + say(*explicit_options_) +
                                                "; it cannot also have " + say(explicitly));
  }
  explicit_options_ = std::make_unique<const topic_options>(explicitly);
  options_.store(explicit_options_.get(), std::memory_order_release);
  for (auto& each : cursors_) each->follow_capacity(explicitly.capacity);
}

void topic_core::configure_by_default(const topic_options& defaults) {
  std::lock_guard lock(mutex_);
  if (!explicit_options_) options_.store(&defaults, std::memory_order_release);
}

void topic_core::attach(std::shared_ptr<cursor> which) {
  // The tails before the message: what was pushed before this call is in them, and what is pushed after it returned is
  // seen by the writer together with the message (look_at_lanes comes before take_controls).
  tails upto = lane_tails();
  post({control::kind::attach, std::move(which), std::move(upto)});
}

void topic_core::detach(std::shared_ptr<cursor> which) {
  which->detach();
  post({control::kind::detach, std::move(which), {}});
}

void topic_core::post(control message) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(message));
    unsettled_.fetch_add(1, std::memory_order_relaxed);
    controls_posted_.store(true, std::memory_order_release);
  }
  if (help()) return;  // unattended: done here and now
  if (bell_.ring_out()) wake();
}

topic_core::tails topic_core::lane_tails() const {
  tails upto;
  std::lock_guard lock(mutex_);
  for (const auto& each : lanes_) {
    if (const auto pushed = each->pushed(); pushed != each->drained()) upto.emplace_back(each, pushed);
  }
  return upto;
}

topic_core::mark topic_core::mark_now() const { return {lane_tails(), 0}; }

bool topic_core::has_appended(mark& upto) const {
  for (const auto& [each, pushed] : upto.lanes) {
    if (each->drained() < pushed && !each->is_sealed()) return false;
  }
  if (unsettled_.load(std::memory_order_acquire) != 0) return false;
  upto.sequence = log_.end();
  return true;
}

bool topic_core::has_been_handled(std::uint64_t sequence) const {
  const auto readers = cursors();
  const bool by_all = std::all_of(readers.begin(), readers.end(), [&](const auto& each) {
    const core::reader& by = each->reader();
    return by.is_ended() || by.has_handled(*each, sequence) || (!each->blocks() && each->floor(log_.end()) >= sequence);
  });
  return by_all && !bus_->ends_readers();  // asked last: none of those was ended by force
}

void topic_core::on_pressure(std::size_t high, std::size_t low, pressure_callback callback) {
  if (high == 0 || low >= high) {
    throw bus_error(errc::invalid_argument, "on_pressure(" + std::to_string(high) + ", " + std::to_string(low) +
                                                "): the low mark must be below the high one");
  }
  {
    std::lock_guard lock(mutex_);
    watches_.push_back(std::make_shared<watch>(watch{high, low, std::move(callback)}));
    watched_.store(true, std::memory_order_release);
  }
  if (bell_.ring_out()) wake();
}

stretch topic_core::newest(std::uint64_t& sequence) {
  bool waiting;
  {
    std::lock_guard lock(mutex_);
    waiting = lanes_hold_something();
  }
  if (waiting) help();  // so that a thread finds what it published itself
  const std::uint64_t end = log_.end();
  const std::size_t history = options().history;
  if (history == 0 || end == log_.first()) return {};
  sequence = end - 1;
  return log_.pin(sequence);
}

void topic_core::made_room(const cursor& by) {
  const bool stalled = bell_.is_stalled();
  if (!stalled && !watched_.load(std::memory_order_relaxed)) return;
  if (stalled && by.blocks()) {
    const std::uint64_t room = by.position() + by.capacity() - log_.end();
    if (room >= std::min<std::uint64_t>(resume_room, std::max<std::uint64_t>(by.capacity() / 2, 1)) ||
        by.position() == log_.end()) {
      if (bell_.ring_out()) wake();
    }
    return;
  }
  look_at_pressure();
}

void topic_core::look_at_pressure() {
  if (!watched_.load(std::memory_order_relaxed)) return;
  bool due;
  {
    std::lock_guard lock(mutex_);
    due = pressure_is_due();
  }
  if (due && bell_.ring_out()) wake();
}

void topic_core::reader_rested() {
  if (!log_.keeps_resources()) return;
  wants_trim_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // partner: rest(); the writer's second look sees the wish
  if (!bell_.take_idle()) return;
  wants_trim_.store(false, std::memory_order_relaxed);
  if (rest_or_continue()) wake();
}

void topic_core::run_inside(std::shared_ptr<subscriber> which, bool by_writer) {
  {
    std::lock_guard lock(mutex_);
    inside_.push_back(std::move(which));
    inside_posted_.store(true, std::memory_order_release);
  }
  if (!by_writer && bell_.ring_out()) wake();
}

std::optional<finish_reason> topic_core::end_reason() const {
  const std::uint8_t code = ended_.load(std::memory_order_acquire);
  if (code == 0 || code == retired) return std::nullopt;
  return static_cast<finish_reason>(code - 1);
}

void topic_core::drop_handle() {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) plan_reclaim();
}

topic_core::facts topic_core::describe() const {
  facts f{};
  f.refused = refused_.load(std::memory_order_relaxed);
  f.spilled_ever = spilled_ever_.load(std::memory_order_relaxed);
  f.abandoned = abandoned_.load(std::memory_order_relaxed);
  f.publishers = static_cast<std::size_t>(std::max(0, publishers_.load(std::memory_order_relaxed)));
  f.high_water = high_water_.load(std::memory_order_relaxed);
  f.pinned_chunks = log_.pinned_chunks();
  f.appended = log_.end() - log_.first();
  std::lock_guard lock(mutex_);
  f.accepted = direct_.load(std::memory_order_relaxed) + accepted_in_gone_.load(std::memory_order_relaxed);
  for (const auto& each : lanes_) f.accepted += each->pushed();
  f.lanes = lanes_.size();
  f.depth = backlog();
  f.history = std::min<std::uint64_t>(options().history, log_.end() - log_.first());
  f.subscribers = cursors_.size();
  return f;
}

std::vector<std::shared_ptr<cursor>> topic_core::cursors() const {
  std::lock_guard lock(mutex_);
  return cursors_;
}

void topic_core::set_history_source(std::shared_ptr<history_source_base> source) {
  std::lock_guard lock(mutex_);
  history_source_ = std::move(source);
}

std::shared_ptr<history_source_base> topic_core::history_source() const {
  {
    std::lock_guard lock(mutex_);
    if (history_source_) return history_source_;
  }
  return bus_->history_source_of(*this);
}

std::int64_t topic_core::time_stamp() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(bus_->engine().wall_now().time_since_epoch()).count();
}

void topic_core::wake() {
  if (waker* const known = waker_known_.load(std::memory_order_acquire)) return known->wake();
  std::lock_guard lock(mutex_);
  if (!waker_) {
    waker_ = bus_->engine().add(weak_from_this(), placement::pool);
    waker_known_.store(waker_.get(), std::memory_order_release);
  }
  waker_->wake();
}

bool topic_core::lanes_hold_something() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& each) { return !each->empty(); });
}

std::uint64_t topic_core::append_limit() const {
  const bool closing = gate_.load(std::memory_order_relaxed) >= gate::draining;
  std::uint64_t limit = cursor::unlimited;
  for (const auto& each : cursors_) {
    if (closing && bus_->is_closing() && !each->reader().holds_up_closing()) continue;
    limit = std::min(limit, each->append_limit());
  }
  return limit;
}

std::size_t topic_core::backlog() const {
  const std::uint64_t end = log_.end();
  std::uint64_t oldest = end;
  for (const auto& each : cursors_) {
    if (!each->is_detached()) oldest = std::min(oldest, std::max(each->position(), each->floor(end)));
  }
  std::uint64_t waiting = end - oldest;
  for (const auto& each : lanes_) {
    const std::uint64_t drained = each->drained();
    waiting += std::max(each->pushed(), drained) - drained;
  }
  return waiting;
}

bool topic_core::pressure_is_due() const {
  if (watches_.empty()) return false;
  const std::size_t depth = backlog();
  return std::any_of(watches_.begin(), watches_.end(),
                     [&](const auto& each) { return each->above ? depth <= each->low : depth >= each->high; });
}

topic_core::work topic_core::look_for_work() const {
  if (controls_posted_.load(std::memory_order_relaxed) || wants_trim_.load(std::memory_order_relaxed) ||
      inside_posted_.load(std::memory_order_relaxed) || must_close()) {
    return work::ready;
  }
  std::lock_guard lock(mutex_);
  if (watched_.load(std::memory_order_relaxed) && pressure_is_due()) return work::ready;
  if (!lanes_hold_something()) return work::none;
  return append_limit() > log_.end() ? work::ready : work::without_room;
}

}  // namespace actorbus::core
