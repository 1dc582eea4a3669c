#include <bridges/redis/bridge_core.hpp>

#include <algorithm>
#include <future>
#include <random>
#include <thread>
#include <utility>

#include <bridges/redis/connection_pool.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/replica_waits.hpp>
#include <bridges/redis/stream_history.hpp>
#include <bridges/redis/stream_reader.hpp>
#include <bus/errors.hpp>
#include <bus/in_handler.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

std::uint64_t any_origin() {
  std::random_device chance;
  for (;;) {
    const std::uint64_t id = std::uint64_t{chance()} << 32 | chance();
    if (id > 0xffff) return id;  // the small ones are reserved
  }
}

uri require_supported(const std::string& text) {
  uri where = uri::parse(text);
  if (where.transport == transport::tls) {
    throw bus_error(errc::unsupported,
                    "redis bridge to " + where.describe() +
                        ": TLS is not in this build (hiredis 0.14 has none); use redis:// or unix://, or a TLS tunnel");
  }
  return where;
}

constexpr std::chrono::milliseconds flush_step{1};

}  // namespace

bool overlap(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() && b.empty();
  const auto first = core::take_token(a);
  const auto second = core::take_token(b);
  if (first == ">" || second == ">") return true;
  if (first != "*" && second != "*" && first != second) return false;
  return overlap(a, b);
}

bridge_core::bridge_core(std::shared_ptr<core::bus_core> bus, bridge_options options)
    : bus_(std::move(bus)),
      options_(std::move(options)),
      where_(require_supported(options_.uri)),
      origin_(any_origin()),
      states_(std::make_shared<supervisor>(bus_)),
      loop_([this](const char* what) { warn("loop", what); }),
      pool_(std::make_unique<connection_pool>(*this, options_.pool)),
      replicas_(std::make_unique<replica_waits>(*pool_)),
      confirm_timer_(loop_.context()) {
  if (options_.max_in_flight == 0) throw bus_error(errc::invalid_argument, "redis bridge: max_in_flight is at least 1");
  if (options_.pool == 0) throw bus_error(errc::invalid_argument, "redis bridge: pool is at least 1");
  const retry_schedule checked(options_.retry_first, options_.retry_most, [] { return 0; });
  bus_->require_open("redis bridge");
}

bridge_core::~bridge_core() { loop_.stop(); }

void bridge_core::start() {
  states_->start();
  states_->need(supervisor::role::commands);
  loop_.post([this] {
    commands_ = connect(*this, "commands", false, options_.idle_timeout);
    commands_->start();
    expire_confirmations();
    states_->asked(supervisor::role::commands);
  });
}

std::shared_ptr<connection> bridge_core::connect(connection_owner& owner, const char* purpose, bool subscribes,
                                                 std::chrono::nanoseconds idle_timeout) {
  session_settings with{.user = where_.user,
                        .password = where_.password,
                        .database = where_.database,
                        .client_name = options_.client_name.empty() ? "" : options_.client_name + ":" + purpose,
                        .connect_timeout = options_.connect_timeout,
                        .command_timeout = options_.command_timeout,
                        .health_check = options_.health_check,
                        .idle_timeout = idle_timeout};
  std::random_device chance;
  retry_schedule retries(
      options_.retry_first, options_.retry_most,
      [engine = std::mt19937_64(std::uint64_t{chance()} << 32 | chance())]() mutable { return engine(); });
  auto fresh = std::make_shared<connection>(loop_, where_, std::move(with), std::move(retries), owner, subscribes);
  connections_.push_back(fresh);
  return fresh;
}

void bridge_core::forget(const connection& which) {
  forgotten_ += which.counts();
  std::erase_if(connections_, [&](const auto& each) { return each.lock().get() == &which; });
}

message_hub& bridge_core::messages() {
  if (!messages_) messages_ = std::make_unique<message_hub>(*this);
  return *messages_;
}

stream_reader& bridge_core::reader() {
  if (!reader_) reader_ = std::make_unique<stream_reader>(*this);
  return *reader_;
}

void bridge_core::add_route(route_kind kind, std::string_view pattern, direction way, const wire_format& as,
                            const std::function<std::shared_ptr<route>()>& make, const route_type* with_history) {
  require_pattern(pattern);
  std::shared_ptr<route> fresh;
  {
    std::lock_guard lock(mutex_);
    if (is_closed()) throw bus_error(errc::closed, "route '" + std::string(pattern) + "': the bridge is closed");
    for (const auto& each : routes_) {
      const bool same_way = (goes_out(each.way) && goes_out(way)) || (comes_in(each.way) && comes_in(way));
      if (each.kind != kind || !same_way || !overlap(each.pattern, pattern)) continue;
      throw bus_error(errc::invalid_argument, "route '" + std::string(pattern) + "' overlaps with route '" +
                                                  each.pattern + "': an event would go twice; narrow one of them");
    }
    fresh = make();
    routes_.push_back({kind, std::string(pattern), way, &as, fresh, {}});
    if (with_history != nullptr) routes_.back().history = with_history->add_history(bus_, pattern, as, past_of(as));
  }
  loop_.post([this, fresh] {
    running_.push_back(fresh);
    fresh->start();
  });
}

bool bridge_core::remove_routes(std::string_view pattern) {
  std::vector<std::shared_ptr<route>> gone;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(routes_, [&](const routing& each) {
      if (each.pattern != pattern) return false;
      gone.push_back(each.what);
      return true;
    });
  }
  for (const auto& each : gone) {
    loop_.post([this, each] {
      each->stop();
      each->add_to(final_);
      std::erase(running_, each);
    });
  }
  return !gone.empty();
}

bool bridge_core::is_streamed(std::string_view topic) const {
  std::lock_guard lock(mutex_);
  return std::any_of(routes_.begin(), routes_.end(), [&](const routing& each) {
    return each.kind == route_kind::stream && matches(each.pattern, topic);
  });
}

void bridge_core::expire_confirmations() {
  confirm_timer_.expires_after(std::chrono::milliseconds{100});
  confirm_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = confirmations::clock::now();
    confirming.expire(now);
    replicas_->expire(now);
    expire_confirmations();
  });
}

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

void bridge_core::add_history(const std::shared_ptr<stream_history>& which) {
  std::erase_if(histories_, [](const auto& each) { return each.expired(); });
  histories_.push_back(which);
}

bool bridge_core::is_settled(std::string_view topic, std::uint64_t until) {
  return std::all_of(running_.begin(), running_.end(),
                     [&](const auto& each) { return each->is_settled(topic, until); });
}

std::optional<stream_offset> bridge_core::next_of(std::string_view topic) {
  for (const auto& each : running_) {
    if (const auto next = each->next_of(topic)) return next;
  }
  return std::nullopt;
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

void bridge_core::close(std::chrono::nanoseconds within) {
  if (within.count() > 0) flush(within);
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

void bridge_core::warn(const char* kind, const std::string& what) {
  const auto now = std::chrono::steady_clock::now();
  std::uint64_t silent = 0;
  {
    std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(warned_.begin(), warned_.end(), [&](const auto& each) { return each.first == kind; });
    if (found == warned_.end()) {
      warned_.emplace_back(kind, std::pair{now, std::uint64_t{0}});
    } else if (now - found->second.first < std::chrono::seconds{1}) {
      ++found->second.second;
      return;
    } else {
      silent = std::exchange(found->second.second, 0);
      found->second.first = now;
    }
  }
  bus_->warn("redis bridge: " + what + (silent == 0 ? "" : " (and " + std::to_string(silent) + " more like it)"));
}

void bridge_core::on_connecting(connection&) { states_->connecting(supervisor::role::commands); }

void bridge_core::on_open(connection&) {
  for (const auto& each : running_) each->on_commands();
  states_->ready(supervisor::role::commands);
}

void bridge_core::on_lost(connection&, const std::string& reason) { states_->lost(supervisor::role::commands, reason); }

void bridge_core::on_push(connection& which, const reply&) { which.drop("the server sent a message nobody asked for"); }

void bridge_core::on_stopped(connection&) {}

}  // namespace actorbus::redis
