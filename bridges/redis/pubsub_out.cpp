#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/pubsub_out.hpp>

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/reused.hpp>

namespace actorbus::redis {

namespace {

/// Events of one message, where a format takes many.
constexpr std::size_t largest_batch = 512;

/// How long a gap that is owed waits for a message to go in front of.
constexpr std::chrono::seconds patience{1};

}  // namespace

pubsub_out::pubsub_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
                       bool is_heard)
    : outbound_route(of, pattern, as, std::move(from)),
      is_heard_(is_heard),
      filters_echoes_(is_heard && !as.messages_carry_origin()),
      tell_later_(
          of.loop(), [this] { tell_gaps(); }, patience) {}

void pubsub_out::start() {
  from_.on_readable([this] { pump(); });
  pump();
}

void pubsub_out::stop() {
  if (core_.has_commands()) tell_gaps();
  stopped_ = true;
  tell_later_.cancel();
  core_.commands().forget(*this);
  in_flight_.clear();
  from_.close();
}

void pubsub_out::pump() {
  if (stopped_) return;
  if (!core_.commands().is_ready()) return core_.commands().want();
  const std::size_t most = core_.options().max_in_flight;
  if (in_flight_.size() >= most || !may_take()) return;  // a reply calls again
  const std::size_t asked = std::min(turn, most - in_flight_.size());
  const std::size_t taken = from_.take(*this, asked);
  send_batch();
  account();
  if (taken == asked) pump_soon();  // nobody calls otherwise, if none of them could be sent
}

void pubsub_out::account() {
  if (sent_ == 0) return;
  core_.commands().expect(*this, std::exchange(sent_, 0));
}

void pubsub_out::on_commands() {
  tell_gaps();
  pump();
}

bool pubsub_out::is_flushed() {
  if (stopped_ || from_.is_closed()) return in_flight_.empty();
  pump();
  return in_flight_.empty() && core_.commands().is_ready();
}

void pubsub_out::add_to(stats& sum) const { sum.in_flight += in_flight_.size(); }

void pubsub_out::take(const reply& what, connection&) {
  target& of = *in_flight_.front();
  in_flight_.pop_front();
  if (what.is_error()) {
    ++core_.counts.refused;
    owe_gap(of);
    core_.warn("publish refused", "the server refused a PUBLISH for '" + pattern_ + "': " + std::string(what.text));
  } else {
    ++core_.counts.out;
  }
  // Half empty, so that what is taken goes out in batches.
  if (in_flight_.size() <= core_.options().max_in_flight / 2) pump_soon();
}

void pubsub_out::lost(std::size_t count) {
  core_.counts.lost_out += count;
  for (std::size_t i = 0; i < count; ++i) owe_gap(*in_flight_[i]);
  in_flight_.erase(in_flight_.begin(), in_flight_.begin() + static_cast<std::ptrdiff_t>(count));
  core_.warn("lost", std::to_string(count) + " messages for '" + pattern_ +
                         "' were on their way when the connection was lost: they may not have been published");
}

pubsub_out::target& pubsub_out::target_of(std::string_view topic) {
  return targets_.find(topic, [this](std::string_view name) {
    return target{std::string(name), as_.channel(core_.options().prefix, name), core_.is_streamed(name)};
  });
}

void pubsub_out::event(const metadata& about, const outgoing& what) {
  target& to = target_of(about.topic);
  if (to.is_shadowed) return;
  outgoing mine = what;
  mine.origin = core_.origin();
  mine.origin_sequence = about.sequence;
  mine.step = to.last == 0 ? 0 : about.sequence - to.last;
  if (as_.max_events() == 1) {
    send(to, {&mine, 1});
  } else {
    pack(mine);
  }
  to.last = about.sequence;
}

void pubsub_out::pack(const outgoing& event) {
  require_headers(event);  // here, where it is refused alone
  if (!batch_.empty() && (batch_.topic() != event.topic || batch_.size() >= std::min(largest_batch, as_.max_events()) ||
                          batch_.bytes() >= largest_batch_bytes)) {
    send_batch();
  }
  batch_.add(event);
}

void pubsub_out::unencodable(const metadata& about, const char* why) {
  outbound_route::unencodable(about, why);
  skip(about.topic, about.sequence);
}

void pubsub_out::dropped(const lagged& what) {
  outbound_route::dropped(what);
  // They may be others' events, which came in: who has never sent any owes nobody.
  if (!is_heard_ || target_of(what.topic).last != 0) skip(what.topic, what.last);
}

void pubsub_out::disconnected(std::string_view topic) {
  outbound_route::disconnected(topic);
  owe_gap(target_of(topic));
}

/// As if the events up to that one had gone, and got lost.
void pubsub_out::skip(std::string_view topic, std::uint64_t sequence) {
  send_batch();  // it is in front of them
  target& of = target_of(topic);
  of.last = sequence;
  owe_gap(of);
}

void pubsub_out::owe_gap(target& of) {
  if (!as_.messages_carry_origin() || of.is_shadowed) return;
  of.owes_gap = true;
  tell_later_.plan(weak_from_this());
}

void pubsub_out::tell_gaps() {
  if (stopped_) return;
  for (auto& [topic, each] : targets_) {
    if (each.owes_gap) tell_gap(each);
  }
}

void pubsub_out::tell_gap(target& of) {
  if (!core_.commands().is_ready()) return core_.commands().want();  // and it is told then
  account();
  const outgoing gap{.topic = of.topic,
                     .payload = "what its publisher sent was lost on the way",
                     .content_type = gap_content_type,
                     .origin = core_.origin()};
  empty_for_reuse(scratch_);
  append_command(core_.commands().out(), {"PUBLISH", of.channel, as_.write_message({&gap, 1}, scratch_)});
  expect_once(core_.commands(), [this, weak = weak_from_this(), &of](const reply* what) {
    const auto self = weak.lock();
    if (!self || (what != nullptr && !what->is_error())) return;
    of.owes_gap = true;
    if (what != nullptr && what->error_code() != "NOPERM") tell_later_.plan(weak);  // else on the next connection
  });
  of.owes_gap = false;
}

void pubsub_out::send(target& to, std::span<const outgoing> events) {
  if (to.owes_gap) tell_gap(to);
  empty_for_reuse(scratch_);
  const std::string_view message = as_.write_message(events, scratch_);
  command_writer(core_.commands().out()).begin(3).word("PUBLISH").word(to.channel).word(message);
  if (filters_echoes_ && core_.messages().is_settled()) core_.echoes.sent(to.channel, message);
  in_flight_.push_back(&to);
  ++sent_;
}

void pubsub_out::send_batch() {
  if (batch_.empty()) return;
  try {
    send(target_of(batch_.topic()), batch_.events());
  } catch (const std::exception& error) {
    not_encodable(batch_.topic(), batch_.size(), error.what());
    owe_gap(target_of(batch_.topic()));
  }
  batch_.clear();
}

}  // namespace actorbus::redis
