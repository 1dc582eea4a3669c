#include <bus/bus_core.hpp>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>

#include <bus/errors.hpp>
#include <bus/group.hpp>
#include <bus/group_member.hpp>
#include <bus/in_handler.hpp>
#include <bus/inbox_core.hpp>
#include <bus/names.hpp>
#include <bus/reader.hpp>
#include <bus/subscriber.hpp>
#include <bus/topic_core.hpp>
#include <bus/type_name.hpp>

namespace actorbus::core {

namespace {

/// Unregistered, so that several buses and the program's own loggers do not meet.
std::shared_ptr<spdlog::logger> own_logger() {
  return std::make_shared<spdlog::logger>("actorbus", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
}

topic_snapshot snapshot_of(const topic_core& topic) {
  const auto f = topic.describe();
  return {topic.name(),    type_name(topic.type()),
          f.accepted,      f.appended,
          f.abandoned,     f.refused,
          f.spilled_ever,  f.depth,
          f.history,       f.publishers,
          f.subscribers,   f.high_water,
          f.pinned_chunks, f.lanes};
}

}  // namespace

bus_core::bus_core(std::shared_ptr<actorbus::engine> engine, bus_options options)
    : engine_(std::move(engine)),
      options_(std::move(options)),
      logger_(options_.logger ? options_.logger : own_logger()),
      timers_(std::make_shared<timers>(*engine_)),
      callbacks_(std::make_shared<callbacks>(*engine_)) {}

bus_core::~bus_core() = default;

void bus_core::report_failure(const std::string& where, const std::exception_ptr& error) {
  logger_->warn("[{}] {}: {}", options_.name, where, text_of(error));
}

void bus_core::warn(const std::string& what) { logger_->warn("[{}] {}", options_.name, what); }

timers::handle bus_core::later(std::chrono::nanoseconds delay, std::function<void()> callback) {
  const auto now = engine_->now();
  const bool never = delay > engine::time_point::max() - now;
  return timers_->at(never ? engine::time_point::max() : now + delay, std::move(callback));
}

void bus_core::post(std::function<void()> callback) {
  callbacks_->post([this, callback = std::move(callback)] {
    try {
      callback();
    } catch (...) {
      report_failure("callback of request_async", std::current_exception());
    }
  });
}

void bus_core::require_open(const char* what) const {
  if (is_closing()) throw bus_error(errc::closed, std::string(what) + ": the bus '" + options_.name + "' is closed");
}

void bus_core::add_reader(std::shared_ptr<reader> who) {
  std::lock_guard lock(mutex_);
  const reader* key = who.get();
  readers_.insert_or_assign(key, std::move(who));
}

void bus_core::forget(const reader& who) {
  topics_.uncover(who);
  requests_.uncover(who);
  const auto gone = who.account();
  std::lock_guard lock(mutex_);
  if (readers_.erase(&who) == 0) return;
  former_.offered += gone.offered;
  former_.delivered += gone.delivered;
  former_.failed += gone.failed;
  former_.filtered += gone.filtered;
  former_.dropped += gone.dropped;
  former_.abandoned_by_subscriptions += gone.abandoned;
}

void bus_core::retire(topic_core& which) {
  if (!topics_.retire(which) && !requests_.retire(which)) return;
  const auto gone = which.describe();
  std::lock_guard lock(mutex_);
  former_.accepted += gone.accepted;
  former_.appended += gone.appended;
  former_.abandoned_by_topics += gone.abandoned;
}

void bus_core::join_group(const std::string& id, const std::function<std::shared_ptr<group>()>& make,
                          const std::function<void(group&, bool)>& join) {
  std::lock_guard lock(joining_);
  const auto known = groups_.find(id);
  if (known != groups_.end() && known->second->is_active()) return join(*known->second, false);
  auto fresh = make();
  groups_.insert_or_assign(id, fresh);
  try {
    join(*fresh, true);
  } catch (...) {
    groups_.erase(id);
    throw;
  }
}

void bus_core::leave_group(const std::shared_ptr<group>& which, const group_member& who,
                           std::vector<shared_event> unfinished) {
  {
    std::lock_guard lock(joining_);
    if (!which->leave(who, std::move(unfinished))) return;
    std::erase_if(groups_, [&](const auto& each) { return each.second == which; });
  }
  handler_scope never_waits;
  which->cancel();
}

std::uint64_t bus_core::add_on_closing(std::function<void(std::chrono::nanoseconds)> hook) {
  std::lock_guard lock(mutex_);
  closing_hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

std::uint64_t bus_core::add_history_source(std::string pattern, std::type_index type, history_maker make) {
  std::lock_guard lock(mutex_);
  histories_.push_back({next_hook_, std::move(pattern), type, std::move(make)});
  return next_hook_++;
}

void bus_core::remove_history_source(std::uint64_t id) {
  history_maker gone;  // destroyed outside the mutex: it is somebody else's
  std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(histories_.begin(), histories_.end(), [&](const auto& each) { return each.id == id; });
  if (found == histories_.end()) return;
  gone = std::move(found->make);
  histories_.erase(found);
}

std::shared_ptr<history_source_base> bus_core::history_source_of(const topic_core& topic) const {
  history_maker make;
  {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(histories_.rbegin(), histories_.rend(), [&](const auto& each) {
      return each.type == topic.type() && matches(each.pattern, topic.name());
    });
    if (found != histories_.rend()) make = found->make;
  }
  return make ? make(topic.identity()) : nullptr;
}

std::vector<std::shared_ptr<topic_core>> bus_core::all_topics() const {
  auto topics = topics_.all();
  auto requests = requests_.all();
  topics.insert(topics.end(), requests.begin(), requests.end());
  return topics;
}

std::vector<std::shared_ptr<reader>> bus_core::all_readers() const {
  std::lock_guard lock(mutex_);
  return readers_alive();
}

std::vector<std::shared_ptr<reader>> bus_core::readers_alive() const {
  std::vector<std::shared_ptr<reader>> readers;
  for (const auto& [key, each] : readers_) {
    if (auto alive = each.lock()) readers.push_back(std::move(alive));
  }
  return readers;
}

subscription_snapshot bus_core::describe(const reader& r) const {
  subscription_snapshot s{};
  s.name = r.set().name;
  s.pattern = r.set().pattern;
  s.members = 1;
  if (const auto* as_group = dynamic_cast<const group*>(&r)) {
    s.kind = "group";
    s.group = as_group->group_name();
    s.members = as_group->members();
  } else {
    s.kind = dynamic_cast<const inbox_core*>(&r) != nullptr ? "inbox" : "handler";
  }
  const auto t = r.account();
  s.offered = t.offered;
  s.delivered = t.delivered;
  s.failed = t.failed;
  s.filtered = t.filtered;
  s.dropped = t.dropped;
  s.abandoned = t.abandoned;
  s.retries = t.retries;
  s.lag = r.lag();
  s.skipped_topics = topics_.skipped(r);
  s.paused = r.is_paused();
  if (const auto oldest = r.oldest_unread()) {
    const auto age = engine_->wall_now().time_since_epoch() - std::chrono::nanoseconds{*oldest};
    s.oldest_unread = std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{age});
  }
  return s;
}

bus_snapshot bus_core::snapshot() const {
  bus_snapshot now;
  now.name = options_.name;
  now.pending_requests = pending_requests.load(std::memory_order_relaxed);
  now.late_replies = late_replies.load(std::memory_order_relaxed);
  for (const auto& each : topics_.all()) now.topics.push_back(snapshot_of(*each));
  for (const auto& each : all_readers()) now.subscriptions.push_back(describe(*each));
  auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(now.topics.begin(), now.topics.end(), by_name);
  std::sort(now.subscriptions.begin(), now.subscriptions.end(),
            [](const auto& a, const auto& b) { return std::tie(a.pattern, a.name) < std::tie(b.pattern, b.name); });
  return now;
}

}  // namespace actorbus::core
