#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/pubsub_out.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>

#include <bridges/redis/command.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/reused.hpp>

namespace actorbus::redis {

namespace {

/// Events of one message, where a format takes many.
constexpr std::size_t largest_batch = 512;
constexpr std::size_t largest_batch_bytes = std::size_t{64} * 1024;

/// Bytes handed over and not yet with the system: beyond them nothing more is taken.
constexpr std::size_t most_unsent = std::size_t{4} * 1024 * 1024;

/// Events taken before the loop looks at its other work.
constexpr std::size_t turn = 1024;

}  // namespace

pubsub_out::pubsub_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
                       bool is_heard)
    : core_(of),
      as_(as),
      pattern_(pattern),
      is_heard_(is_heard && !as.messages_carry_origin()),
      from_(of.loop(), std::move(from)) {}

void pubsub_out::start() {
  from_.on_readable([this] { pump(); });
  pump();
}

void pubsub_out::stop() {
  stopped_ = true;
  core_.commands().forget(*this);
  in_flight_ = 0;
  from_.close();
}

void pubsub_out::pump() {
  if (stopped_) return;
  if (!core_.commands().is_ready()) return core_.commands().want();
  const std::size_t most = core_.options().max_in_flight;
  if (in_flight_ >= most || core_.commands().unsent() > most_unsent) return;  // a reply calls again
  sent_ = 0;
  const std::size_t asked = std::min(turn, most - in_flight_);
  const std::size_t taken = from_.take(*this, asked);
  send_batch();
  in_flight_ += sent_;
  if (sent_ != 0) core_.commands().expect(*this, sent_);
  if (taken == asked) plan();  // nobody calls otherwise, if none of them could be sent
}

bool pubsub_out::is_flushed() {
  if (stopped_ || from_.is_closed()) return in_flight_ == 0;
  pump();
  return in_flight_ == 0 && core_.commands().is_ready();
}

void pubsub_out::add_to(stats& sum) const { sum.in_flight += in_flight_; }

void pubsub_out::take(const reply& what, connection&) {
  --in_flight_;
  if (what.is_error()) {
    ++core_.counts.refused;
    core_.warn("publish refused", "the server refused a PUBLISH for '" + pattern_ + "': " + std::string(what.text));
  } else {
    ++core_.counts.out;
  }
  // Half empty, so that what is taken goes out in batches.
  if (in_flight_ <= core_.options().max_in_flight / 2) plan();
}

/// Behind the replies that are there already.
void pubsub_out::plan() {
  if (std::exchange(planned_, true)) return;
  boost::asio::post(core_.loop().context(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->planned_ = false;
    self->pump();
  });
}

void pubsub_out::lost(std::size_t count) {
  in_flight_ -= count;
  core_.counts.lost_out += count;
  core_.warn("lost", std::to_string(count) + " messages for '" + pattern_ +
                         "' were on their way when the connection was lost: they may not have been published");
}

pubsub_out::target& pubsub_out::target_of(std::string_view topic) {
  if (last_ != nullptr && last_topic_ == topic) return *last_;
  const auto found = targets_.find(std::string(topic));
  auto& to = found != targets_.end()
                 ? found->second
                 : targets_.emplace(topic, target{as_.channel(core_.options().prefix, topic), core_.is_streamed(topic)})
                       .first->second;
  last_topic_ = topic;
  last_ = &to;
  return to;
}

void pubsub_out::event(const metadata& about, const outgoing& what) {
  target& to = target_of(about.topic);
  if (to.is_shadowed) return;
  outgoing mine = what;
  mine.origin = core_.origin();
  mine.origin_sequence = about.sequence;
  if (as_.max_events() == 1) return send(to, {&mine, 1});
  if (!batch_.empty() && (batch_.topic() != about.topic || batch_.size() >= std::min(largest_batch, as_.max_events()) ||
                          batch_.bytes() >= largest_batch_bytes)) {
    send_batch();
  }
  batch_.add(mine);
}

void pubsub_out::send(target& to, std::span<const outgoing> events) {
  empty_for_reuse(scratch_);
  const std::string_view message = as_.write_message(events, scratch_);
  command_writer(core_.commands().out()).begin(3).word("PUBLISH").word(to.channel).word(message);
  if (is_heard_ && core_.messages().is_settled()) core_.echoes.sent(to.channel, message);
  ++sent_;
}

void pubsub_out::send_batch() {
  if (batch_.empty()) return;
  const std::string topic = batch_.topic();
  try {
    send(target_of(topic), batch_.events());
  } catch (const std::exception& error) {
    core_.counts.refused += batch_.size();
    core_.warn("not encodable", "events of '" + topic + "' cannot go out: " + error.what());
  }
  batch_.clear();
}

void pubsub_out::unencodable(const metadata& about, const char* why) {
  ++core_.counts.refused;
  core_.warn("not encodable", "an event of '" + std::string(about.topic) + "' cannot go out: " + why);
}

void pubsub_out::dropped(const lagged& what) {
  core_.counts.dropped_out += what.count;
  core_.warn("dropped", std::to_string(what.count) + " events of '" + std::string(what.topic) +
                            "' were dropped before they could go out");
}

}  // namespace actorbus::redis
