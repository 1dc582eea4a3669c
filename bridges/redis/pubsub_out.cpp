#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/pubsub_out.hpp>

#include <algorithm>
#include <set>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/pubsub_in.hpp>
#include <bridges/redis/reused.hpp>

namespace actorbus::redis {

namespace {

/// Events of one message, where a format takes many.
constexpr std::size_t largest_batch = 512;

/// How long a gap that is owed waits for a message to go in front of.
constexpr std::chrono::seconds patience{1};

}  // namespace

pubsub_out::pubsub_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
                       std::shared_ptr<const pubsub_in> in)
    : outbound_route(of, pattern, as, std::move(from)),
      in_(std::move(in)),
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
  events_ = 0;
  from_.close();
}

void pubsub_out::pump() {
  if (stopped_) return;
  if (!core_.commands().is_ready()) return core_.commands().want();
  const std::size_t most = core_.options().max_in_flight;
  if (events_ >= most || is_undecided() || !may_take()) return;  // a reply calls again
  const std::size_t asked = std::min(turn, most - events_);
  const std::size_t taken = from_.take(*this, asked);
  send_batch();
  account();
  if (taken == asked) pump_soon();  // nobody calls otherwise, if none of them could be sent
}

/// Whether what would go out now comes back: that is not known while a subscription is under way.
bool pubsub_out::is_undecided() {
  if (const auto now = core_.routing_now(); as_of_ != now) {
    as_of_ = now;
    echoed_by_ = core_.echoed_by(pattern_, as_);
  }
  const bool result = std::any_of(echoed_by_.begin(), echoed_by_.end(),
                                  [this](const auto& by) { return core_.messages().is_undecided(by); });
  if (result && !std::exchange(awaits_answer_, true)) {
    core_.messages().when_changed([weak = weak_from_this()] {
      const auto self = std::static_pointer_cast<pubsub_out>(weak.lock());
      if (!self) return;
      self->awaits_answer_ = false;
      self->pump_soon();
    });
  }
  return result;
}

void pubsub_out::account() {
  if (sent_ == 0) return;
  core_.commands().expect(*this, std::exchange(sent_, 0));
}

void pubsub_out::on_commands() {
  pump();  // which tells of gaps in front of what goes
  tell_gaps();
}

bool pubsub_out::is_flushed() {
  if (stopped_ || from_.is_closed()) return in_flight_.empty();
  return pump_all() && in_flight_.empty() && core_.commands().is_ready();
}

void pubsub_out::add_to(stats& sum) const { sum.in_flight += events_; }

void pubsub_out::answered(std::size_t messages) {
  for (; messages != 0; --messages) {
    events_ -= in_flight_.front().events;
    in_flight_.pop_front();
  }
}

void pubsub_out::take(const reply& what, connection&) {
  const unanswered of = in_flight_.front();
  answered(1);
  if (what.is_error()) {
    core_.counts.refused += of.events;
    owe_gap(*of.to);
    if (of.echo.era != 0) core_.messages().not_echoed(of.to->channel, of.echo, true);
    core_.warn("publish refused", "the server refused a PUBLISH for '" + pattern_ + "': " + std::string(what.text));
  } else {
    core_.counts.out += of.events;
  }
  // Half empty, so that what is taken goes out in batches.
  if (events_ <= core_.options().max_in_flight / 2) pump_soon();
}

void pubsub_out::lost(std::size_t count) {
  std::size_t events = 0;
  std::set<const target*> doubtful;
  for (std::size_t i = 0; i < count; ++i) {
    const unanswered& each = in_flight_[i];
    events += each.events;
    owe_gap(*each.to);
    if (each.echo.era == 0) continue;
    core_.messages().echoes.take_back(each.to->channel, each.echo);
    doubtful.insert(each.to);
  }
  answered(count);
  core_.counts.lost_out += events;
  core_.warn("lost", std::to_string(events) + " events for '" + pattern_ +
                         "' were on their way when the connection was lost: they may not have been published");
  for (const auto* each : doubtful) core_.messages().doubt(each->channel);
}

pubsub_out::target& pubsub_out::target_of(std::string_view topic) {
  target& of = targets_.find(topic, [this](std::string_view name) {
    return target{std::string(name), as_.channel(core_.options().prefix, name)};
  });
  if (of.as_of != core_.routing_now()) look_up(of);
  return of;
}

void pubsub_out::look_up(target& of) {
  of.as_of = core_.routing_now();
  of.is_shadowed = core_.is_streamed(of.topic, direction::out);
  const auto by = core_.echoed_by(of.topic, as_);
  of.comes_back =
      std::any_of(by.begin(), by.end(), [this](const auto& each) { return core_.messages().is_confirmed(each); });
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
  // They may all be others' events, which came in: who has never published any owes nobody.
  const target& of = target_of(what.topic);
  if (!in_ || of.last != 0 || what.last > in_->brought_in(of.channel)) skip(what.topic, what.last);
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
    if (what != nullptr) tell_later_.plan(weak);  // else on the next connection
  });
  of.owes_gap = false;
}

void pubsub_out::send(target& to, std::span<const outgoing> events) {
  if (to.owes_gap) tell_gap(to);
  empty_for_reuse(scratch_);
  const std::string_view message = as_.write_message(events, scratch_);
  command_writer(core_.commands().out()).begin(3).word("PUBLISH").word(to.channel).word(message);
  const auto echo = to.comes_back ? core_.messages().echoes.sent(to.channel, message) : echo_filter::mark{};
  in_flight_.push_back({&to, events.size(), echo});
  events_ += events.size();
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
