#include "tests/redis/faults/traffic.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "tests/eventually.hpp"
#include "tests/redis/contract/parcel_codec.hpp"

namespace actorbus::testing {

namespace {

using namespace std::chrono_literals;
using contract::parcel;

constexpr auto patience = 20s;
constexpr auto pace = 100us;

bus_options quiet() { return {.workers = 2, .logger = std::make_shared<spdlog::logger>("silent")}; }

parcel parcel_of(std::uint32_t publisher, std::uint64_t counter) {
  return {publisher, counter, publisher * 0x9E3779B97F4A7C15u ^ counter * 0xC2B2AE3D27D4EB4Fu};
}

}  // namespace

std::string to_string(way which) {
  switch (which) {
    case way::pubsub:
      return "pub/sub";
    case way::stream:
      return "stream";
    case way::deduplicated:
      return "stream, de-duplicated";
  }
  return "unknown";
}

redis::bridge_options traffic::connected_to(const std::string& uri, redis::bridge_options with) {
  with.uri = uri;
  with.prefix = "t:";
  return with;
}

traffic::traffic(const std::string& sender_uri, const std::string& receiver_uri, traffic_options how)
    : how_(std::move(how)),
      sending_(quiet()),
      receiving_(quiet()),
      out_(sending_, connected_to(sender_uri, how_.connected)),
      in_(receiving_, connected_to(receiver_uri, how_.connected)) {
  for (const auto& each : how_.topics) {
    receive(each);
    if (how_.by == way::pubsub) {
      out_.pubsub<parcel>(each,
                          {.direction = redis::direction::out, .format = how_.format, .overflow = overflow::block});
    } else {
      out_.stream<parcel>(each, {.direction = redis::direction::out,
                                 .format = how_.format,
                                 .overflow = overflow::block,
                                 .deduplicate = how_.by == way::deduplicated});
    }
    add_lane(lanes_, each);
    add_lane(single_, each);
  }
  if (!in_.wait_ready(patience) || !out_.wait_ready(patience)) complaints_ += "the bridges do not become ready\n";
}

traffic::~traffic() { stop(); }

void traffic::add_lane(std::deque<lane>& to, const std::string& topic) {
  const std::uint32_t id = next_id_++;
  to.push_back({topic, sending_.topic<parcel>(topic).publisher(), &history_.publisher(id, topic)});
}

void traffic::receive(const std::string& topic) {
  auto& record = history_.subscriber("the receiver", topic);
  record.expects(promised());
  const auto tell = [this, &record] {
    record.gap();
    ++notices_;
  };
  subscriptions_.push_back(receiving_.topic<parcel>(topic).subscribe(
      overloaded{[this, &record](const event<parcel>& e) { take(record, e); }, [tell](const gap&) { tell(); },
                 [tell](const trimmed&) { tell(); }, [tell](const epoch_reset&) { tell(); }}));
  if (how_.by == way::pubsub) {
    in_.pubsub<parcel>(topic, {.direction = redis::direction::in, .format = how_.format, .capacity = 1 << 20});
  } else {
    in_.stream<parcel>(topic, {.from = replay::all(), .direction = redis::direction::in, .format = how_.format});
  }
}

void traffic::take(contract::subscriber_record& record, const event<parcel>& what) {
  // Without de-duplication any event may come again, and does not say so.
  record.received(what->publisher, what->counter, what->value, what.sequence(), how_.by == way::stream);
  std::lock_guard lock(mutex_);
  if (seen_.emplace(what->publisher, what->counter).second) ++arrived_;
}

bool traffic::publish(lane& by) {
  const parcel what = parcel_of(by.record->id(), by.counter + 1);
  if (by.to.publish_for(what, patience)) return false;
  by.record->accepted(++by.counter, what.value);
  ++accepted_;
  return true;
}

void traffic::flow() {
  if (flows_.exchange(true)) return;
  publisher_ = std::thread([this] {
    while (flows_) {
      for (auto& each : lanes_) {
        if (publish(each)) continue;
        std::lock_guard lock(mutex_);
        complaints_ += "nothing is accepted any more on " + each.topic + '\n';
        return;
      }
      std::this_thread::sleep_for(pace);  // a steady flow, not a flood
    }
  });
}

void traffic::stop() {
  flows_ = false;
  if (publisher_.joinable()) publisher_.join();
}

bool traffic::moves(std::uint64_t more) {
  const auto before = arrived();
  return eventually([&] { return arrived() >= before + more; });
}

bool traffic::has(std::uint32_t publisher, std::uint64_t counter) {
  std::lock_guard lock(mutex_);
  return seen_.count({publisher, counter}) != 0;
}

bool traffic::is_alive() {
  for (auto& each : single_) {
    std::chrono::milliseconds within = 20ms;
    const bool arrives = eventually([&] {
      if (!publish(each)) return false;
      // For the very one: then none is on its way any more.
      const auto deadline = std::chrono::steady_clock::now() + within;
      while (std::chrono::steady_clock::now() < deadline) {
        if (has(each.record->id(), each.counter)) return true;
        std::this_thread::sleep_for(1ms);
      }
      within = std::min<std::chrono::milliseconds>(2 * within, 2s);
      return false;
    });
    if (!arrives) return false;
  }
  return true;
}

std::string traffic::verdict() {
  stop();
  if (!out_.flush(patience)) complaints_ += "what was accepted does not go out\n";
  if (!is_alive()) complaints_ += "no event arrives any more\n";
  const bool all = how_.by != way::pubsub && !how_.may_lose;
  if (all && !eventually([&] { return arrived() >= accepted(); })) complaints_ += "some events do not arrive\n";
  receiving_.close(patience);
  std::lock_guard lock(mutex_);
  return complaints_ + describe(contract::check(history_));
}

contract::expectations traffic::promised() const {
  contract::expectations result{.sequenced = false};  // notices have sequences, too
  if (how_.by == way::pubsub || how_.may_lose) result.allowed = contract::losses::in_gaps;
  if (how_.by == way::stream) result.doubled = contract::doubles::marked;
  result.ordered = how_.by != way::stream;
  return result;
}

}  // namespace actorbus::testing
