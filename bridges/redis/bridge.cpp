#include <bridges/redis/bridge.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/last_events.hpp>
#include <bridges/redis/pubsub_in.hpp>
#include <bridges/redis/pubsub_out.hpp>
#include <bridges/redis/stream_in.hpp>
#include <bridges/redis/stream_out.hpp>
#include <bus/errors.hpp>
#include <bus/in_handler.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

/// The two ways of one route.
class both_ways final : public route {
 public:
  both_ways(std::shared_ptr<route> in, std::shared_ptr<route> out) : ways_{std::move(in), std::move(out)} {}

  void start() override {
    each([](route& r) { r.start(); });
  }
  void stop() override {
    each([](route& r) { r.stop(); });
  }
  void finish() override {
    each([](route& r) { r.finish(); });
  }
  void on_commands() override {
    each([](route& r) { r.on_commands(); });
  }
  bool is_flushed() override {
    bool all = true;
    each([&](route& r) { all = r.is_flushed() && all; });
    return all;
  }
  void add_to(stats& sum) const override {
    each([&](const route& r) { r.add_to(sum); });
  }
  bool is_settled(std::string_view topic, std::uint64_t until) override {
    bool all = true;
    each([&](route& r) { all = r.is_settled(topic, until) && all; });
    return all;
  }
  std::optional<stream_offset> next_of(std::string_view topic) override {
    std::optional<stream_offset> next;
    each([&](route& r) { next = next ? next : r.next_of(topic); });
    return next;
  }
  const own_entries* own_of(std::string_view topic) override {
    const own_entries* own = nullptr;
    each([&](route& r) { own = own != nullptr ? own : r.own_of(topic); });
    return own;
  }

 private:
  template <class F>
  void each(F what) const {
    for (const auto& way : ways_) {
      if (way) what(*way);
    }
  }
  const std::vector<std::shared_ptr<route>> ways_;
};

/// What a route sends: what was published in this process. `self`: and what publish_confirmed did; 0: not that.
inbox_options outbound(overflow how, std::size_t capacity, std::string_view pattern, std::uint64_t self) {
  return {.overflow = how,
          .capacity = capacity,
          .where = [self](const metadata& m) { return m.origin == 0 || m.origin == self; },
          .name = "redis bridge, " + std::string(pattern)};
}

}  // namespace

bridge::bridge(actorbus::bus& on, bridge_options options)
    : core_(std::make_shared<bridge_core>(on.core(), std::move(options))) {
  core_->start();
  closing_ = on.on_closing([weak = std::weak_ptr(core_)](std::chrono::nanoseconds left) {
    if (const auto core = weak.lock()) core->finish(left);
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
  core_->add_route(bridge_core::route_kind::pubsub, pattern, options.direction, as, type, [&] {
    std::shared_ptr<pubsub_in> in;
    std::shared_ptr<route> out;
    if (is_literal(pattern)) type.open_in(core_->bus(), pattern);  // throws what is wrong with the topic
    if (comes_in(options.direction)) in = std::make_shared<pubsub_in>(*core_, pattern, as, type, options);
    if (goes_out(options.direction)) {
      out = std::make_shared<pubsub_out>(
          *core_, pattern, as,
          type.open_out(core_->bus(), pattern, outbound(options.overflow, options.capacity, pattern, 0),
                        payload_shape::bytes),
          in);
    }
    if (in) core_->states().need(supervisor::role::messages);
    return std::make_shared<both_ways>(std::move(in), std::move(out));
  });
}

void bridge::add_stream(std::string_view pattern, const route_type& type, const stream_options& options) {
  const auto refuse = [&](const char* why) {
    throw bus_error(errc::invalid_argument, "route '" + std::string(pattern) + "': " + why);
  };
  if (options.from.kind() == replay_kind::after) {
    refuse("replay::after names a sequence of this process; give the entry's id as stream_options::after");
  }
  if (options.maxlen != 0 && options.max_age.count() != 0) refuse("give maxlen or max_age, a stream is trimmed by one");
  if (options.ttl.count() < 0 || options.max_age.count() < 0) refuse("ttl and max_age are at least 0");
  const wire_format& as = wire_format_of(options.format, type.shape);
  if (is_literal(pattern)) {
    as.stream_key(core_->options().prefix, pattern);  // throws what is wrong with the name
  } else if (comes_in(options.direction) && options.format == format::litestar) {
    refuse("no topic can be told from the key of a Litestar stream; add a route for each topic that is to come in");
  }
  core_->add_route(bridge_core::route_kind::stream, pattern, options.direction, as, type, [&] {
    std::shared_ptr<route> in;
    std::shared_ptr<route> out;
    if (is_literal(pattern)) type.open_in(core_->bus(), pattern);  // throws what is wrong with the topic
    if (goes_out(options.direction)) {
      out = std::make_shared<stream_out>(
          *core_, pattern, as,
          type.open_out(core_->bus(), pattern, outbound(options.overflow, options.capacity, pattern, core_->origin()),
                        as.entry_shape()),
          options, comes_in(options.direction));
    }
    if (comes_in(options.direction)) {
      in = std::make_shared<stream_in>(*core_, pattern, as, type, options);
      core_->states().need(supervisor::role::reading);
    }
    return std::make_shared<both_ways>(std::move(in), std::move(out));
  });
}

const wire_format& bridge::format_of(std::string_view topic, payload_shape shape) const {
  require_topic_name(topic);
  const wire_format* known = core_->stream_format(topic, false);
  return known != nullptr ? *known : wire_format_of(format::native, shape);
}

std::vector<past_entry> bridge::read_back(std::string_view topic, const wire_format& as, std::size_t limit) {
  core::require_outside_handler("bridge::history");
  std::vector<past_entry> found;
  const std::string key = as.stream_key(core_->options().prefix, topic);
  last_events tail(limit, as.max_events());
  while (tail.wants_more()) {
    const auto page = std::make_shared<std::vector<past_entry>>();  // kept by an answer that comes too late
    core_->ask(
        "history of '" + std::string(topic) + "'", bridge_core::asked_by::pool,
        [key, newest = tail.newest(), count = tail.page()](std::string& to) {
          append_command(to, {"XREVRANGE", key, newest, "-", "COUNT", std::to_string(count)});
        },
        [page](const reply& what) {
          for (const reply& each : what.elements) {
            const auto id = each.elements.size() < 2 ? std::nullopt : stream_id::parse(each.elements[0].text);
            if (!id) continue;
            auto& one = page->emplace_back(past_entry{*id, {}});
            const auto& words = each.elements[1].elements;
            for (std::size_t i = 0; i + 1 < words.size(); i += 2)
              one.fields.emplace_back(words[i].text, words[i + 1].text);
          }
        });
    if (page->empty()) break;
    for (auto& each : *page) {
      if (!tail.wants_more()) break;
      tail.take(each.id, count_events(each, as, topic));
      found.push_back(std::move(each));
    }
    tail.turn_page();
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::pair<std::uint64_t, std::future<stream_id>> bridge::confirm(std::string_view topic,
                                                                 const confirm_options& options) {
  require_topic_name(topic);
  if (core_->stream_format(topic, true) == nullptr) {
    throw bus_error(errc::invalid_argument,
                    "publish_confirmed on '" + std::string(topic) + "': no stream route takes this topic out; add one");
  }
  std::promise<stream_id> promise;
  auto result = promise.get_future();
  const auto now = confirmations::clock::now();
  const auto within = std::min<std::chrono::nanoseconds>(options.within, std::chrono::hours{24 * 365});
  const auto token = core_->confirming.add({std::move(promise), now + within, options.replicas, within});
  return {token, std::move(result)};
}

void bridge::refuse(std::uint64_t token, std::string_view topic, std::error_code why) {
  core_->confirming.take(token);
  throw bus_error(why, "publish_confirmed on '" + std::string(topic) + "'");
}

void bridge::send_to_all(const std::vector<std::string>& topics, std::type_index type, std::string_view payload,
                         std::string_view content_type, const headers& with, const std::function<void()>& before) {
  core::require_outside_handler("bridge::publish_all");
  std::vector<bridge_core::message_for_all> all;
  std::string scratch;
  for (const auto& each : topics) {
    require_topic_name(each);
    const wire_format* as = core_->pubsub_format(each, type);
    if (as == nullptr) {
      throw bus_error(errc::invalid_argument, "publish_all: no pub/sub route takes topic '" + each + "' out; add one");
    }
    scratch.clear();
    const outgoing one{
        .topic = each, .payload = payload, .headers = &with, .content_type = content_type, .origin = core_->origin()};
    all.push_back({as->channel(core_->options().prefix, each), std::string(as->write_message({&one, 1}, scratch)),
                   core_->echoed_by(each, *as)});
  }
  before();
  if (!all.empty()) core_->publish_atomically(all);
}

std::size_t bridge::flush_all() {
  core::require_outside_handler("bridge::flush_all");
  const std::string& prefix = core_->options().prefix;
  if (prefix.empty()) {
    throw bus_error(errc::invalid_argument,
                    "flush_all would delete every key of the database: give the bridge a prefix");
  }
  std::string glob;
  for (const char c : prefix) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) glob += '\\';
    glob += c;
  }
  glob += '*';
  const auto deleted = std::make_shared<std::size_t>(0);  // kept by an answer that comes too late
  const auto cursor = std::make_shared<std::string>("0");
  do {
    const auto keys = std::make_shared<std::vector<std::string>>();
    core_->ask(
        "flush_all", bridge_core::asked_by::pool,
        [cursor, glob](std::string& to) {
          append_command(to, {"SCAN", *cursor, "MATCH", glob, "COUNT", "1000"});
        },
        [cursor, keys](const reply& what) {
          if (what.elements.size() != 2)
            throw bus_error(errc::refused_by_server, "flush_all: SCAN answered something else");
          *cursor = what.elements[0].text;
          for (const auto& each : what.elements[1].elements) keys->emplace_back(each.text);
        });
    if (keys->empty()) continue;
    core_->ask(
        "flush_all", bridge_core::asked_by::pool,
        [keys](std::string& to) {
          command_writer out(to);
          out.begin(1 + keys->size()).word("UNLINK");
          for (const auto& each : *keys) out.word(each);
        },
        [deleted](const reply& what) { *deleted += static_cast<std::size_t>(what.integer); });
  } while (*cursor != "0");
  return *deleted;
}

const std::shared_ptr<core::bus_core>& bridge::bus() const { return core_->bus(); }

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
