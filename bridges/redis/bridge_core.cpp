#include <bridges/redis/bridge_core.hpp>

#include <algorithm>
#include <future>
#include <random>
#include <thread>
#include <utility>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/message_hub.hpp>
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
      confirm_timer_(loop_.context()) {
  if (options_.max_in_flight == 0) throw bus_error(errc::invalid_argument, "redis bridge: max_in_flight is at least 1");
  const retry_schedule checked(options_.retry_first, options_.retry_most, [] { return 0; });
  bus_->require_open("redis bridge");
}

bridge_core::~bridge_core() { loop_.stop(); }

void bridge_core::start() {
  states_->start();
  states_->need(supervisor::role::commands);
  loop_.post([this] {
    commands_ = connect(*this, "commands");
    commands_->start();
    expire_confirmations();
    states_->asked(supervisor::role::commands);
  });
}

std::shared_ptr<connection> bridge_core::connect(connection_owner& owner, const char* purpose, bool subscribes) {
  session_settings with{.user = where_.user,
                        .password = where_.password,
                        .database = where_.database,
                        .client_name = options_.client_name.empty() ? "" : options_.client_name + ":" + purpose,
                        .connect_timeout = options_.connect_timeout,
                        .command_timeout = options_.command_timeout,
                        .health_check = options_.health_check};
  if (&owner == this) with.idle_timeout = options_.idle_timeout;
  std::random_device chance;
  retry_schedule retries(
      options_.retry_first, options_.retry_most,
      [engine = std::mt19937_64(std::uint64_t{chance()} << 32 | chance())]() mutable { return engine(); });
  auto fresh = std::make_shared<connection>(loop_, where_, std::move(with), std::move(retries), owner, subscribes);
  connections_.push_back(fresh);
  return fresh;
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
                            const std::function<std::shared_ptr<route>()>& make) {
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
    routes_.push_back({kind, std::string(pattern), way, &as, fresh});
  }
  loop_.post([this, fresh] {
    running_.push_back(fresh);
    fresh->start();
  });
}

void bridge_core::add_consumer(const std::shared_ptr<route>& fresh) {
  std::lock_guard lock(closing_);
  if (is_closed()) throw bus_error(errc::closed, "consume: the bridge is closed");
  bus_->require_open("consume");
  states_->need(supervisor::role::group, fresh.get());
  loop_.post([this, fresh] {
    running_.push_back(fresh);
    fresh->start();
  });
}

void bridge_core::remove(const route& which) {
  std::erase_if(running_, [&](const auto& each) { return each.get() == &which; });
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
    confirming.expire(confirmations::clock::now());
    expire_confirmations();
  });
}

namespace {

void add(const connection_counts& c, stats& sum) {
  sum.connections_made += c.made;
  sum.connections_lost += c.lost;
  sum.commands += c.commands;
  sum.bytes_in += c.bytes_in;
  sum.bytes_out += c.bytes_out;
}

}  // namespace

void bridge_core::add_connections(stats& sum) const {
  for (const auto& weak : connections_) {
    if (const auto each = weak.lock()) add(each->counts(), sum);
  }
}

void bridge_core::forget(const connection& which) {
  add(which.counts(), counts);
  std::erase_if(connections_, [&](const auto& each) { return each.lock().get() == &which; });
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
    if (commands_) commands_->stop();
    add_connections(sum);
    sum.waiting = sum.in_flight = 0;
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
