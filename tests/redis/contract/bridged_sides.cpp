#include "tests/redis/contract/bridged_sides.hpp"

#include <spdlog/logger.h>

#include <chrono>
#include <utility>

#include "tests/eventually.hpp"

namespace actorbus::contract {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;
constexpr const char* every_topic = "conformance.>";

/// One worker may be held by a handler that stands still. What fails here is meant to, and needs no report.
bus_options quiet() { return {.workers = 4, .logger = std::make_shared<spdlog::logger>("silent")}; }

redis::bridge_options bridged_by(const testing::redis_server& server) {
  return {.uri = server.uri(), .retry_first = 5ms, .retry_most = 50ms};
}

std::string drained(const close_report& report) { return report.drained ? "" : "close did not drain the bus\n"; }

class bridged_outlet final : public outlet {
 public:
  explicit bridged_outlet(publisher<parcel> to) : to_(std::move(to)) {}
  std::error_code publish(const parcel& what, headers with) override {
    return to_.publish_for(what, patience, std::move(with));
  }

 private:
  publisher<parcel> to_;
};

class bridged_intake final : public intake {
 public:
  explicit bridged_intake(subscription held) : held_(std::move(held)) {}
  bool read_to_the_end() override { return true; }  // closing a bus waits for its handlers

 private:
  subscription held_;
};

}  // namespace

bridged_publisher_side::bridged_publisher_side(const routing& route)
    : bus_(quiet()), bridge_(bus_, bridged_by(server_)) {
  route(bridge_, every_topic);
  bridge_.wait_ready(patience);
}

std::unique_ptr<outlet> bridged_publisher_side::open(const std::string& topic) {
  return std::make_unique<bridged_outlet>(bus_.topic<parcel>(topic).publisher());
}

std::string bridged_publisher_side::close() { return drained(bus_.close(patience)); }

void bridged_publisher_side::cut_off() {
  was_cut_off_ = true;
  server_.kill();
}

bridged_subscriber_side::bridged_subscriber_side(std::shared_ptr<publisher_side> from, receiving how)
    : from_(std::move(from)), how_(std::move(how)), bus_(quiet()), bridge_(bus_, bridged_by(this->from().server())) {
  if (how_.at_once) how_.route(bridge_, every_topic);
  bridge_.wait_ready(patience);
}

void bridged_subscriber_side::route(const std::string& topic) {
  std::lock_guard lock(mutex_);
  if (how_.at_once || !routed_.insert(topic).second) return;
  how_.route(bridge_, topic);
  bridge_.wait_ready(patience);
}

std::unique_ptr<intake> bridged_subscriber_side::subscribe(const std::string& topic, receive to, const wishes& how) {
  route(topic);
  return std::make_unique<bridged_intake>(bus_.topic<parcel>(topic).subscribe(
      overloaded{std::move(to), [tell = how.on_gap](const gap&) { tell(); }},
      {.from = how.from, .capacity = how.capacity, .group = how.group, .on_error = how.on_error}));
}

std::string bridged_subscriber_side::close() {
  const auto received = [&] { return bridge_.stats().in; };
  const bool all =
      !how_.whole || from().was_cut_off() || testing::eventually([&] { return received() >= from().sent(); }, received);
  return (all ? "" : "not all that was sent was received\n") + drained(bus_.close(patience));
}

}  // namespace actorbus::contract
