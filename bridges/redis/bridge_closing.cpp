// What a bridge has done so far, and how it ends.
#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/connection_pool.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/stream_history.hpp>
#include <bridges/redis/stream_reader.hpp>

namespace actorbus::redis {

namespace {

constexpr std::chrono::milliseconds flush_step{1};

}  // namespace

void bridge_core::add_connections(stats& sum) const {
  connection_counts all = forgotten_;
  for (const auto& weak : connections_) {
    if (const auto each = weak.lock()) all += each->counts();
  }
  sum.connections_made += all.made;
  sum.connections_lost += all.lost;
  sum.commands += all.commands;
  sum.bytes_in += all.bytes_in;
  sum.bytes_out += all.bytes_out;
  sum.in_use += pool_->in_use();
  sum.available += pool_->available();
}

stats bridge_core::sum_up() {
  auto now = [this] {
    stats sum = counts;
    add_connections(sum);
    for (const auto& each : running_) each->add_to(sum);
    return sum;
  };
  if (loop_.is_here()) return now();
  std::lock_guard lock(closing_);
  if (is_closed()) return final_;
  auto promise = std::make_shared<std::promise<stats>>();
  auto result = promise->get_future();
  loop_.post([promise, now] { promise->set_value(now()); });
  return result.get();
}

bool bridge_core::is_flushed() {
  return std::all_of(running_.begin(), running_.end(), [](const auto& each) { return each->is_flushed(); });
}

bool bridge_core::flush(std::chrono::nanoseconds within) {
  using clock = std::chrono::steady_clock;
  const auto now = clock::now();
  const auto deadline = within > clock::time_point::max() - now ? clock::time_point::max() : now + within;
  for (;;) {
    auto promise = std::make_shared<std::promise<bool>>();
    auto result = promise->get_future();
    {
      std::lock_guard lock(closing_);
      if (is_closed()) return true;
      loop_.post([this, promise] { promise->set_value(is_flushed()); });
      if (result.get()) return true;
    }
    if (clock::now() >= deadline) return false;
    std::this_thread::sleep_for(flush_step);
  }
}

bool bridge_core::finish(std::chrono::nanoseconds within) {
  {
    std::lock_guard lock(closing_);
    if (is_closed()) return true;
    loop_.post([this] {
      for (const auto& each : std::vector(running_)) each->finish();
    });
  }
  return flush(within);
}

void bridge_core::close(std::chrono::nanoseconds within) {
  if (within.count() > 0) finish(within);
  std::lock_guard lock(closing_);
  if (is_closed()) return;
  auto ended = std::make_shared<std::promise<void>>();
  auto waiting = ended->get_future();
  loop_.post([this, ended] {
    stats sum = counts;
    for (const auto& each : running_) each->add_to(sum);
    for (const auto& each : running_) each->stop();
    running_.clear();
    if (messages_) messages_->stop();
    if (reader_) reader_->stop();
    pool_->stop();
    for (const auto& each : histories_) {
      if (const auto reading = each.lock()) reading->finish();
    }
    if (commands_) {
      commands_->flush();  // the cursors that routes have saved at their end
      commands_->stop();
    }
    add_connections(sum);
    sum.waiting = sum.in_flight = sum.in_use = sum.available = 0;
    final_ = sum;
    ended->set_value();
  });
  waiting.get();
  closed_.store(true, std::memory_order_release);
  loop_.stop();
  confirming.expire({}, true);
  states_->closed();
}

}  // namespace actorbus::redis
