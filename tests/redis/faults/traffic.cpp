#include "tests/redis/faults/traffic.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <utility>

#include "tests/eventually.hpp"
#include "tests/redis/contract/parcel_codec.hpp"
#include "tests/redis/faults/memory_in_use.hpp"

namespace actorbus::testing {

namespace {

using namespace std::chrono_literals;
using contract::parcel;

constexpr auto patience = 20s;
constexpr auto pace = 100us;
constexpr std::size_t most_waiting = std::size_t{1} << 20;

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
    case way::group:
      return "group";
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
  using redis::direction;
  for (const auto& each : how_.topics) {
    receive(receiving_, in_, each, 0);
    send(out_, each, how_.both_ways ? direction::both : direction::out);
    if (how_.both_ways) {
      receive(sending_, out_, each, 1);
      send(in_, each, direction::both);
      add_lane(lanes_, receiving_, each);
    } else if (how_.by != way::group) {
      send(in_, each, direction::in);
    }
    add_lane(lanes_, sending_, each);
    add_lane(single_, sending_, each);
  }
  if (!in_.wait_ready(patience) || !out_.wait_ready(patience)) complaints_ += "the bridges do not become ready\n";
  memory_before_ = memory_in_use();
}

traffic::~traffic() { stop(); }

void traffic::add_lane(std::deque<lane>& to, bus& from, const std::string& topic) {
  const std::uint32_t id = next_id_++;
  to.push_back({topic, from.topic<parcel>(topic).publisher(), &history_.publisher(id, topic)});
}

void traffic::send(redis::bridge& by, const std::string& topic, redis::direction where) {
  if (how_.by == way::pubsub) {
    by.pubsub<parcel>(topic, {.direction = where,
                              .format = how_.format,
                              .overflow = overflow::block,
                              .capacity = where == redis::direction::out ? 0 : most_waiting});
  } else {
    by.stream<parcel>(topic, {.from = replay::all(),
                              .direction = where,
                              .format = how_.format,
                              .overflow = overflow::block,
                              .deduplicate = how_.by != way::stream});
  }
}

void traffic::receive(bus& on, redis::bridge& by, const std::string& topic, std::uint32_t who) {
  auto& record = history_.subscriber(who == 0 ? "the receiver" : "the sender", topic);
  record.expects(promised());
  const auto tell = [this, &record] {
    record.gap();
    ++notices_;
  };
  told_losses& told = told_[topic];
  auto handler =
      overloaded{[this, &record, who](const event<parcel>& e) { take(record, who, e); }, [tell](const gap&) { tell(); },
                 [this, tell, &told](const trimmed& t) {
                   std::unique_lock lock(mutex_);
                   told.trimmed(*redis::stream_id::parse(t.first), *redis::stream_id::parse(t.last));
                   lock.unlock();
                   tell();
                 },
                 [this, tell, &told](const epoch_reset&) {
                   std::unique_lock lock(mutex_);
                   told.reset();
                   lock.unlock();
                   tell();
                 }};
  if (how_.by == way::group) {
    consumers_.push_back(by.consume<parcel>(
        topic, std::move(handler), {.group = "g", .claim_after = 1s, .format = how_.format, .retry_first = 1ms}));
  } else {
    subscriptions_.push_back(on.topic<parcel>(topic).subscribe(std::move(handler)));
  }
}

void traffic::take(contract::subscriber_record& record, std::uint32_t who, const event<parcel>& what) {
  std::lock_guard lock(mutex_);
  told_losses& told = told_[record.topic()];
  const std::string id(what.headers().get("redis.id", ""));
  const sighting now{id, told.resets()};
  const auto [first, is_first] = seen_.try_emplace({who, what->publisher, what->counter}, now);
  if (is_first) ++arrived_;
  const bool may_be = may_be_again(first->second, now) || what.headers().contains("redis.deliveries");
  record.received(what->publisher, what->counter, what->value, what.sequence(), may_be);
  if (how_.by == way::group) told.came(what->publisher, what->counter, *redis::stream_id::parse(id));
}

/// Without de-duplication any event may come again, and does not say so. With it, as for a group, one that was on its
/// way when the stream was deleted, and the producer's mark with it: as another entry, behind the reset.
bool traffic::may_be_again(const sighting& first, const sighting& now) const {
  if (how_.by == way::stream) return true;
  return how_.may_lose && now.id != first.id && now.resets > first.resets;
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

std::string traffic::describe() {
  std::ostringstream to;
  to << to_string(how_.by) << " of " << how_.topics.front() << ": accepted " << accepted() << ", arrived " << arrived();
  for (auto* each : {&out_, &in_}) {
    const auto s = each->stats();
    to << (each == &out_ ? "; sender: " : "; receiver: ") << (each->wait_ready(0s) ? "ready" : "not ready") << ", out "
       << s.out << ", in flight " << s.in_flight << ", resent " << s.resent << ", refused " << s.refused << ", in "
       << s.in << ", waiting " << s.waiting << ", lag " << s.lag << ", pending " << s.pending << ", in hand "
       << s.in_hand << ", redelivered " << s.redelivered << ", failures " << s.decode_failures << ", connections "
       << s.connections_made << ", lost " << s.connections_lost;
  }
  return to.str();
}

bool traffic::has(std::uint32_t publisher, std::uint64_t counter) {
  std::lock_guard lock(mutex_);
  return seen_.count({0, publisher, counter}) != 0;
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
        std::this_thread::sleep_for(1ms);  // between two looks whether it has arrived
      }
      within = std::min<std::chrono::milliseconds>(2 * within, 2s);
      return false;
    });
    if (!arrives) return false;
  }
  return true;
}

std::string traffic::untold() {
  std::lock_guard lock(mutex_);
  std::string result;
  if (how_.by != way::group || !how_.may_lose) return result;
  for (const auto* all : {&lanes_, &single_}) {
    for (const auto& each : *all) result += told_[each.topic].untold(each.record->id(), each.counter);
  }
  return result;
}

std::string traffic::verdict() {
  stop();
  if (!out_.flush(patience)) complaints_ += "what was accepted does not go out\n";
  if (!is_alive()) complaints_ += "no event arrives any more\n";
  const bool all = how_.by != way::pubsub && !how_.may_lose;
  if (all && !eventually([&] { return arrived() >= to_arrive(); })) complaints_ += "some events do not arrive\n";
  if (!eventually([&] { return untold().empty(); })) complaints_ += untold();
  if (how_.alone && !memory_is_back(memory_before_, accepted())) complaints_ += "memory does not come back\n";
  receiving_.close(patience);
  std::lock_guard lock(mutex_);
  return complaints_ + contract::describe(contract::check(history_));
}

contract::expectations traffic::promised() const {
  contract::expectations result{.sequenced = false};  // notices have sequences, too
  if (how_.by == way::pubsub || how_.may_lose) result.allowed = contract::losses::in_gaps;
  if (how_.by == way::group && how_.may_lose) result.allowed = contract::losses::untold;  // judged by `untold`
  const bool at_least_once = how_.by == way::stream || how_.by == way::group;
  if (at_least_once || how_.may_lose) result.doubled = contract::doubles::marked;
  result.ordered = !at_least_once;
  return result;
}

}  // namespace actorbus::testing
