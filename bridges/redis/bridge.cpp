#include <bridges/redis/bridge.hpp>

#include <utility>
#include <vector>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/pubsub_in.hpp>
#include <bridges/redis/pubsub_out.hpp>
#include <bus/errors.hpp>
#include <bus/in_handler.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

/// The two ways of one route.
class both_ways final : public route {
 public:
  both_ways(std::shared_ptr<route> in, std::shared_ptr<route> out) : ways_{std::move(in), std::move(out)} {}

  void start() override { each([](route& r) { r.start(); }); }
  void stop() override { each([](route& r) { r.stop(); }); }
  void on_commands() override { each([](route& r) { r.on_commands(); }); }
  bool is_flushed() override {
    bool all = true;
    each([&](route& r) { all = r.is_flushed() && all; });
    return all;
  }
  void add_to(stats& sum) const override { each([&](const route& r) { r.add_to(sum); }); }

 private:
  template <class F>
  void each(F what) const {
    for (const auto& way : ways_) {
      if (way) what(*way);
    }
  }
  const std::vector<std::shared_ptr<route>> ways_;
};

/// What a route sends: what was published in this process.
inbox_options outbound(overflow how, std::size_t capacity, std::string_view pattern) {
  return {.overflow = how,
          .capacity = capacity,
          .where = [](const metadata& m) { return m.origin == 0; },
          .name = "redis bridge, " + std::string(pattern)};
}

}  // namespace

bridge::bridge(actorbus::bus& on, bridge_options options)
    : core_(std::make_shared<bridge_core>(on.core(), std::move(options))) {
  core_->start();
  closing_ = on.on_closing([weak = std::weak_ptr(core_)](std::chrono::nanoseconds left) {
    if (const auto core = weak.lock()) core->flush(left);
  });
}

bridge::bridge(bridge&&) noexcept = default;

bridge& bridge::operator=(bridge&& other) noexcept {
  std::swap(core_, other.core_);
  std::swap(closing_, other.closing_);
  return *this;
}

bridge::~bridge() {
  if (!core_) return;
  { const closing_hook taken_back = std::move(closing_); }
  core_->close(core::in_handler() ? std::chrono::nanoseconds{0} : core_->options().close_within);
}

void bridge::add_pubsub(std::string_view pattern, const route_type& type, const pubsub_options& options) {
  const wire_format& as = wire_format_of(options.format, type.shape);
  if (!as.has_messages()) {
    throw bus_error(errc::invalid_argument, "route '" + std::string(pattern) + "': the format " +
                                                std::string(to_string(options.format)) +
                                                " has no messages; use it with stream");
  }
  core_->add_route(bridge_core::route_kind::pubsub, pattern, options.direction, [&] {
    std::shared_ptr<route> in;
    std::shared_ptr<route> out;
    if (is_literal(pattern)) type.open_in(core_->bus(), pattern);  // throws what is wrong with the topic
    if (goes_out(options.direction)) {
      out = std::make_shared<pubsub_out>(
          *core_, pattern, as,
          type.open_out(core_->bus(), pattern, outbound(options.overflow, options.capacity, pattern), payload_shape::bytes),
          comes_in(options.direction));
    }
    if (comes_in(options.direction)) {
      in = std::make_shared<pubsub_in>(*core_, pattern, as, type, options);
      core_->states().need(supervisor::role::messages);
    }
    return std::make_shared<both_ways>(std::move(in), std::move(out));
  });
}

bool bridge::unroute(std::string_view pattern) { return core_->remove_routes(pattern); }

void bridge::on_state(std::function<void(const state&)> callback) { core_->states().on_state(std::move(callback)); }

bool bridge::wait_ready(std::chrono::nanoseconds within) { return core_->states().wait_ready(within); }

stats bridge::stats() const { return core_->sum_up(); }

bool bridge::flush(std::chrono::nanoseconds within) {
  core::require_outside_handler("bridge::flush");
  const auto begun = std::chrono::steady_clock::now();
  if (!core_->bus()->is_closing() && !core_->bus()->flush(within)) return false;
  return core_->flush(within - std::min(within, std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun)));
}

void bridge::close(std::chrono::nanoseconds within) { core_->close(within); }

std::uint64_t bridge::origin() const { return core_->origin(); }

}  // namespace actorbus::redis
