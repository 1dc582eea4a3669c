// How a bridge's consumers of groups are made.
#include <charconv>
#include <utility>

#include <bridges/redis/bridge.hpp>
#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/group_consumer.hpp>
#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

constexpr std::size_t most_hands = 1024;
constexpr std::chrono::nanoseconds least_claim{std::chrono::milliseconds{10}};
constexpr std::chrono::nanoseconds longest{std::chrono::hours{24 * 365}};

void check(std::string_view topic, const consume_options& with) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw bus_error(errc::invalid_argument, "consume " + core::quoted(topic) + ": " + what);
  };
  require(!with.group.empty(), "options.group is empty: name the group that shares the events");
  require(with.max_in_flight != 0, "options.max_in_flight is at least 1");
  require(with.concurrency != 0 && with.concurrency <= most_hands, "options.concurrency is 1 to 1,024");
  require(with.max_deliveries != 0, "options.max_deliveries is at least 1");
  require(with.claim_after >= least_claim && with.claim_after <= longest, "options.claim_after is 10 ms to a year");
  require(with.retry_first.count() > 0 && with.retry_first <= with.retry_most && with.retry_most <= longest,
          "options.retry_first is above 0, and retry_most not below it and at most a year");
  require(with.forget_after.count() == 0 || (with.forget_after >= least_claim && with.forget_after <= longest),
          "options.forget_after is 10 ms to a year, or 0");
  require(with.from.kind() != replay_kind::last && with.from.kind() != replay_kind::after,
          "options.from is where a new group begins: all, live or since");
  require(with.run_on != run_on::topic, "options.run_on is own_thread or pool: there is no topic to run in");
  require(with.dead_letter != topic, "options.dead_letter is the topic itself: name another");
}

std::string dead_letter_of(std::string_view topic, const consume_options& with) {
  std::string dead = with.dead_letter.empty() ? std::string(topic) + ".dead" : with.dead_letter;
  if (!is_topic_name(dead)) {
    throw bus_error(errc::invalid_topic, "consume " + core::quoted(topic) + ": options.dead_letter would be " +
                                             core::quoted(dead) + ", which is no topic name");
  }
  return dead;
}

std::string place_of(const replay& from) {
  if (from.kind() == replay_kind::live) return "$";
  return from.kind() == replay_kind::since ? stream_id::at(from.time()).previous().to_string() : "0";
}

/// No other process', and no other consumer's of this one.
std::string any_name(const bridge_core& of) {
  static std::atomic<std::uint64_t> last{0};
  char digits[17];
  const auto end = std::to_chars(digits, digits + sizeof digits, of.origin(), 16).ptr;
  const std::string& client = of.options().client_name;
  return (client.empty() ? "actorbus" : client) + "-" + std::string(digits, end) + "-" + std::to_string(++last);
}

}  // namespace

consumer bridge::add_consumer(std::string_view topic, payload_shape shape, const consume_options& options,
                              const std::function<std::unique_ptr<group_handler>()>& handler) {
  require_topic_name(topic);
  check(topic, options);
  const wire_format& as = options.format ? wire_format_of(*options.format, shape) : format_of(topic, shape);
  const std::string& prefix = core_->options().prefix;
  group_names names{.topic = std::string(topic),
                    .key = as.stream_key(prefix, topic),
                    .group = options.group,
                    .consumer = options.consumer.empty() ? any_name(*core_) : options.consumer,
                    .dead_key = as.stream_key(prefix, dead_letter_of(topic, options)),
                    .from = place_of(options.from)};
  auto hands = std::make_shared<group_hands>(core_->bus(), as, handler());
  auto fresh = std::make_shared<group_consumer>(*core_, std::move(names), options, hands);
  auto end = std::make_shared<consumer_end>(core_, fresh, std::move(hands));
  fresh->set_end(end);
  fresh->start_hands();
  core_->add_consumer(fresh);
  return consumer(std::move(end));
}

}  // namespace actorbus::redis
