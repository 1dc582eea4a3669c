#include <bridges/redis/bridge_core.hpp>

#include <algorithm>
#include <future>
#include <random>
#include <thread>
#include <utility>

#include <bridges/redis/command.hpp>
#include <bridges/redis/connection_pool.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/replica_waits.hpp>
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

/// Longer ones would overflow the clock.
constexpr std::chrono::hours longest{24 * 365};

void require_time(const char* name, std::chrono::nanoseconds given, std::chrono::nanoseconds least) {
  if (given >= least && given <= longest) return;
  throw bus_error(errc::invalid_argument, std::string("redis bridge: ") + name + " is from " +
                                              std::to_string(least / std::chrono::milliseconds{1}) + " ms to a year");
}

}  // namespace

bool overlap(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() && b.empty();
  const auto first = core::take_token(a);
  const auto second = core::take_token(b);
  if (first == ">" || second == ">") return true;
  if (first != "*" && second != "*" && first != second) return false;
  return overlap(a, b);
}

namespace {

/// Whether a route in by `pattern` reads the stream with that key.
bool reads_key(const wire_format& as, std::string_view prefix, std::string_view pattern, std::string_view key) {
  if (is_literal(pattern)) return as.stream_key(prefix, pattern) == key;
  const auto topic = as.topic_of_key(prefix, key);
  return topic && matches(pattern, *topic);
}

/// Topics of two formats, or of one that knows only upper case, may have streams with the same key.
bool share_a_key(const wire_format& as, std::string_view pattern, const wire_format& other_as,
                 std::string_view other_pattern, std::string_view prefix) {
  return (is_literal(pattern) && reads_key(other_as, prefix, other_pattern, as.stream_key(prefix, pattern))) ||
         (is_literal(other_pattern) && reads_key(as, prefix, pattern, other_as.stream_key(prefix, other_pattern)));
}

}  // namespace

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
  require_time("connect_timeout", options_.connect_timeout, std::chrono::milliseconds{1});
  require_time("command_timeout", options_.command_timeout, std::chrono::milliseconds{1});
  require_time("health_check", options_.health_check, {});
  require_time("idle_timeout", options_.idle_timeout, {});
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

void bridge_core::unblock(const connection& which) {
  if (which.client_id() == 0 || !has_commands()) return;
  append_command(commands_->out(), {"CLIENT", "UNBLOCK", std::to_string(which.client_id())});
  expect_once(*commands_, [](const reply*) {});
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
                            const route_type& type, const std::function<std::shared_ptr<route>()>& make) {
  require_pattern(pattern);
  std::shared_ptr<route> fresh;
  {
    std::lock_guard lock(mutex_);
    if (is_closed()) throw bus_error(errc::closed, "route '" + std::string(pattern) + "': the bridge is closed");
    for (const auto& each : routes_) {
      const bool both_in = comes_in(each.way) && comes_in(way);
      if (each.kind != kind || !(both_in || (goes_out(each.way) && goes_out(way)))) continue;
      if (overlap(each.pattern, pattern)) {
        throw bus_error(errc::invalid_argument, "route '" + std::string(pattern) + "' overlaps with route '" +
                                                    each.pattern + "': an event would go twice; narrow one of them");
      }
      if (both_in && kind == route_kind::stream && share_a_key(as, pattern, *each.as, each.pattern, options_.prefix)) {
        throw bus_error(
            errc::invalid_argument,
            "route '" + std::string(pattern) + "' reads the same stream as route '" + each.pattern +
                "', whose topic is another: a bridge reads a stream into one topic; take one of them in, or "
                "each by a bridge of its own");
      }
    }
    fresh = make();
    routes_.push_back({kind, std::string(pattern), way, &as, type.payload, fresh, {}});
    if (kind == route_kind::stream) routes_.back().history = type.add_history(bus_, pattern, as, past_of(as));
  }
  rerouted();
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
  rerouted();
  for (const auto& each : gone) {
    loop_.post([this, each] {
      each->stop();
      each->add_to(final_);
      std::erase(running_, each);
    });
  }
  return !gone.empty();
}

bool bridge_core::is_streamed(std::string_view topic, direction way) const {
  std::lock_guard lock(mutex_);
  return std::any_of(routes_.begin(), routes_.end(), [&](const routing& each) {
    const bool same_way = way == direction::out ? goes_out(each.way) : comes_in(each.way);
    return each.kind == route_kind::stream && same_way && matches(each.pattern, topic);
  });
}

std::vector<subscription_set::key> bridge_core::echoed_by(std::string_view pattern, const wire_format& as) const {
  std::vector<subscription_set::key> found;
  if (is_literal(pattern) && is_streamed(pattern, direction::in)) return found;  // those messages are not taken
  const auto& prefix = options_.prefix;
  std::lock_guard lock(mutex_);
  for (const auto& each : routes_) {
    if (each.kind != route_kind::pubsub || !comes_in(each.way) || each.as->messages_carry_origin()) continue;
    const bool same_channels = each.as->channel(prefix, "x") == as.channel(prefix, "x");
    if (same_channels && overlap(each.pattern, pattern))
      found.push_back(subscription_of(*each.as, prefix, each.pattern));
  }
  return found;
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

void bridge_core::on_lost(connection& which, const std::string& reason) {
  if (which.rests()) return;  // as it was asked to: it is there again when there is something for it
  states_->lost(supervisor::role::commands, reason);
}

void bridge_core::on_push(connection& which, const reply&) { which.drop("the server sent a message nobody asked for"); }

void bridge_core::on_stopped(connection&) {}

}  // namespace actorbus::redis
