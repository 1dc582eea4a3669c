// A bridge's consumers of groups: how they are made, and how their dead letters go back.
#include <charconv>
#include <utility>

#include <bridges/redis/bridge.hpp>
#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/group_consumer.hpp>
#include <bridges/redis/group_scripts.hpp>
#include <bus/errors.hpp>
#include <bus/in_handler.hpp>
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

std::size_t bridge::redrive(std::string_view dead_letter_topic, redis::format as) {
  core::require_outside_handler("bridge::redrive");
  require_topic_name(dead_letter_topic);
  const wire_format& names = wire_format_of(as, as == format::fields ? payload_shape::fields : payload_shape::bytes);
  const std::string& prefix = core_->options().prefix;
  const std::string what = "redrive of '" + std::string(dead_letter_topic) + "'";
  const std::string dead = names.stream_key(prefix, dead_letter_topic);
  struct letter {
    std::string id, stream;
    std::vector<std::string> entry;  ///< of one with more words than a script can hand on
  };
  const auto ask = [&](std::vector<std::string> words, const std::function<void(const reply&)>& take) {
    core_->ask(
        what, bridge_core::asked_by::pool,
        [words = std::move(words)](std::string& to) {
          command_writer out(to);
          out.begin(words.size());
          for (const auto& each : words) out.word(each);
        },
        take);
  };
  const auto page = std::make_shared<std::vector<letter>>();  // kept by an answer that comes too late
  const auto newest = std::make_shared<std::string>();
  ask({"XREVRANGE", dead, "+", "-", "COUNT", "1"}, [newest](const reply& found) {
    if (!found.elements.empty() && !found.elements[0].elements.empty()) *newest = found.elements[0].elements[0].text;
  });
  std::size_t count = 0;
  for (std::string from = "-"; !newest->empty();) {
    const auto last = std::make_shared<std::string>();
    page->clear();
    ask({"XRANGE", dead, from, *newest, "COUNT", "100"}, [page, last](const reply& found) {
      for (const reply& each : found.elements) {
        if (each.elements.size() < 2) continue;
        *last = each.elements[0].text;
        std::vector<field_view> fields;
        const auto& words = each.elements[1].elements;
        for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields.push_back({words[i].text, words[i + 1].text});
        if (auto entry = read_large_letter(fields)) {
          page->push_back({*last, std::string(fields[1].value), std::move(*entry)});
        } else if (is_dead_letter(fields)) {
          page->push_back({*last, std::string(fields[1].value), {}});
        }
      }
    });
    if (last->empty()) break;
    from = stream_id::parse(*last).value_or(stream_id::max()).next().to_string();
    const auto moved = std::make_shared<std::size_t>(0);
    const auto count_moved = [moved](const reply& done) { *moved += static_cast<std::size_t>(done.integer); };
    for (const auto& each : *page) {
      if (!each.entry.empty()) {
        std::vector<std::string> words{"XADD", each.stream, "*"};
        words.insert(words.end(), each.entry.begin(), each.entry.end());
        ask(std::move(words), [](const reply&) {});
        ask({"XDEL", dead, each.id}, count_moved);
        continue;
      }
      ask({"EVAL", std::string(redrive_script), "2", dead, each.stream, each.id,
           std::to_string(2 * dead_letter_names.size())},
          count_moved);
    }
    count += *moved;
    if (*last == *newest) break;
  }
  return count;
}

}  // namespace actorbus::redis
