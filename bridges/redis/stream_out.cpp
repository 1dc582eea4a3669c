#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/stream_out.hpp>

#include <algorithm>
#include <random>

#include <bridges/redis/append_script.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/entry_runs.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/reused.hpp>
#include <bridges/redis/stream_feed.hpp>
#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

/// Events of one entry where a format packs, and of one call of the script.
constexpr std::size_t largest_batch = 256;

/// Fields of one event with the script: Lua passes at most 8,000 words to a command.
constexpr std::size_t most_script_fields = 3'900;

/// How long the server remembers where a producer stands: longer than any outage that is waited out.
constexpr std::chrono::milliseconds mark_lives{std::chrono::hours{24}};

std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

}  // namespace

stream_out::stream_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
                       const stream_options& with, bool is_heard)
    : outbound_route(of, pattern, as, std::move(from)),
      with_(with),
      is_heard_(is_heard && !as.entries_carry_origin()),
      retries_(of.options().retry_first, of.options().retry_most,
               [engine = std::mt19937_64(of.origin())]() mutable { return engine(); }),
      later_(of.loop().context()) {}

void stream_out::start() {
  from_.on_readable([this] { pump(); });
  if (core_.commands().is_ready())
    on_commands();
  else
    core_.commands().want();
}

void stream_out::stop() {
  stopped_ = true;
  later_.cancel();
  core_.commands().forget(*this);
  from_.close();
}

void stream_out::on_commands() {
  sent_ = answered_ = 0;
  rewinding_ = resting_ = false;
  later_.cancel();
  for (const auto& each : waiting_) {
    core_.counts.resent += each.events;
    if (is_scripted()) continue;
    for (const auto& mark : each.echoes) core_.echoes.sent_again(each.to->key, mark);
  }
  if (is_scripted()) return load_script();
  ready_ = true;
  resend();
  pump();
}

void stream_out::load_script() {
  ready_ = false;
  append_command(core_.commands().out(), {"SCRIPT", "LOAD", append_script});
  expect_once(core_.commands(), [weak = weak_from_this()](const reply* what) {
    const auto self = std::static_pointer_cast<stream_out>(weak.lock());
    if (!self || what == nullptr) return;
    if (!what->is_text()) {
      self->core_.warn("no script",
                       "the server does not take the script for '" + self->pattern_ + "': " + std::string(what->text));
      return self->pump_later(self->retries_.next());
    }
    self->sha_ = std::string(what->text);
    self->ready_ = true;
    self->resend();
    self->pump();
  });
}

void stream_out::pump() {
  has_taken_all_ = false;
  if (stopped_) return;
  if (!core_.commands().is_ready()) return core_.commands().want();
  const std::size_t most = core_.options().max_in_flight;
  if (!ready_ || rewinding_ || resting_ || events_ >= most || !may_take()) return;
  ++pumps_;
  fresh_ = 0;
  const std::size_t asked = std::min(turn, most - events_);
  const std::size_t taken = from_.take(*this, asked);
  has_taken_all_ = taken < asked;
  add_batch();
  if (fresh_ != 0) core_.commands().expect(*this, fresh_);
  send_expiries();
  forget_ids();
  if (taken == asked) pump_soon();
}

void stream_out::pump_later(std::chrono::nanoseconds after) {
  resting_ = true;
  later_.expires_after(after);
  later_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = std::static_pointer_cast<stream_out>(weak.lock());
    if (error || !self || self->stopped_ || !std::exchange(self->resting_, false)) return;
    if (!self->core_.commands().is_ready()) return;
    if (self->is_scripted()) return self->load_script();
    self->resend();
    self->pump();
  });
}

bool stream_out::is_flushed() {
  if (stopped_) return true;
  const bool all = pump_all();
  // Not before the inbox was looked into and found empty: until the script is there, and while much of other routes
  // waits to be sent, nothing is taken.
  return waiting_.empty() && (from_.is_closed() || (all && has_taken_all_));
}

bool stream_out::is_settled(std::string_view topic, std::uint64_t until) {
  if (stopped_ || !matches(pattern_, topic)) return true;
  pump();
  if (!from_.has_taken(topic, until)) return false;
  const target& of = target_of(topic);
  return std::none_of(waiting_.begin(), waiting_.end(),
                      [&](const auto& each) { return each.to == &of && each.first < until; });
}

const own_entries* stream_out::own_of(std::string_view topic) {
  return as_.entries_carry_origin() || !matches(pattern_, topic) ? nullptr : &target_of(topic).own;
}

void stream_out::add_to(stats& sum) const { sum.in_flight += events_; }

stream_out::target& stream_out::target_of(std::string_view topic) {
  return targets_.find(topic, [this](std::string_view name) {
    std::string key = as_.stream_key(core_.options().prefix, name);
    std::string producer = key + ":producer:" + std::to_string(core_.origin());
    // A key that topics share tells no topic; their sequences are not each other's.
    if (!as_.topic_of_key(core_.options().prefix, key)) (producer += ':') += name;
    std::string ids = producer + ":ids";
    return target{std::move(key), std::move(producer), std::move(ids)};
  });
}

/// Before it is among others, which would be refused with it.
void stream_out::require_fit(const outgoing& what) const {
  require_headers(what);
  if (as_.kind() == format::fields && what.fields.empty()) {
    throw bus_error(errc::invalid_argument,
                    "it has no fields, and the entry of a stream needs one; the format `native` takes it");
  }
  if (!is_scripted() || what.fields.size() <= most_script_fields) return;
  throw bus_error(errc::invalid_argument, "it has " + std::to_string(what.fields.size()) +
                                              " fields; with de-duplication an event may have 3900");
}

void stream_out::event(const metadata& about, const outgoing& what) {
  target& to = target_of(about.topic);
  outgoing mine = what;
  mine.origin = core_.origin();
  mine.origin_sequence = about.sequence;
  const std::uint64_t token = about.origin == core_.origin() ? about.origin_sequence : 0;
  require_fit(mine);
  const std::size_t most = is_scripted() ? largest_batch : std::min(as_.max_events(), largest_batch);
  if (most == 1) return add_plain(to, {&mine, 1}, token);
  const bool must_part =
      token != 0 || batch_.topic() != about.topic || batch_.size() >= most || batch_.bytes() >= largest_batch_bytes;
  if (must_part) add_batch();
  batch_.add(mine);
  if (token != 0) add_batch(token);
}

void stream_out::add_batch(std::uint64_t token) {
  if (batch_.empty()) return;
  try {
    if (is_scripted())
      add_scripted(target_of(batch_.topic()), batch_.events(), token);
    else
      add_plain(target_of(batch_.topic()), batch_.events(), token);
  } catch (const std::exception& error) {
    not_encodable(batch_.topic(), batch_.size(), error.what());
    target_of(batch_.topic()).newest.forget();
    if (token != 0) core_.confirming.fail(token, errc::invalid_argument, error.what());
  }
  batch_.clear();
}

std::vector<std::string> stream_out::trimming_of(target& to, std::size_t events, std::size_t at_once) {
  const char* const how = with_.exact ? "=" : "~";
  if (with_.maxlen != 0) {
    std::uint64_t entries = with_.maxlen;
    for (; as_.max_events() > 1 && events != 0; events -= std::min(events, at_once))
      entries = to.newest.add(std::min(events, at_once), with_.maxlen);
    return {"MAXLEN", how, std::to_string(entries)};
  }
  if (with_.max_age.count() == 0) return {};
  return {"MINID", how, stream_id::at(std::chrono::system_clock::now() - with_.max_age).to_string()};
}

std::string stream_out::take_spare() {
  if (spare_.empty()) return {};
  std::string result = std::move(spare_.back());
  spare_.pop_back();
  result.clear();
  return result;
}

void stream_out::add_plain(target& to, std::span<const outgoing> events, std::uint64_t token) {
  empty_for_reuse(scratch_);
  as_.write_entry(events, scratch_, fields_);
  const auto trimming = trimming_of(to, events.size(), events.size());
  unacknowledged one{
      take_spare(), &to, 0, events.size(), 0, events.front().origin_sequence, events.back().origin_sequence, token};
  if (is_heard_) one.echoes.push_back(core_.echoes.sent(to.key, print_of(fields_)));
  command_writer out(one.bytes);
  if (!as_.entries_carry_origin()) one.sequences = {events.front().origin_sequence};
  out.begin(3 + trimming.size() + 2 * fields_.size()).word("XADD").word(to.key);
  for (const auto& each : trimming) out.word(each);
  out.word("*");
  for (const auto& each : fields_) out.word(each.name).word(each.value);
  send(one, false);
  events_ += one.events;
  waiting_.push_back(std::move(one));
  ++sent_;
  ++fresh_;
}

void stream_out::add_scripted(target& to, std::span<const outgoing> events, std::uint64_t token) {
  const std::size_t at_once = std::min(as_.max_events(), events.size());
  const auto trimming = trimming_of(to, events.size(), at_once);
  unacknowledged one{take_spare(),
                     &to,
                     0,
                     events.size(),
                     to.last_sequence,
                     events.front().origin_sequence,
                     events.back().origin_sequence,
                     token};
  command_writer out(one.bytes);
  out.number(signed_of(trimming.size()));
  for (const auto& each : trimming) out.word(each);
  entry_runs runs(one.bytes);
  for (std::size_t i = 0; i < events.size(); i += at_once) {
    const auto some = events.subspan(i, std::min(at_once, events.size() - i));
    empty_for_reuse(scratch_);
    as_.write_entry(some, scratch_, fields_);
    if (is_heard_) one.echoes.push_back(core_.echoes.sent(to.key, print_of(fields_)));
    if (!as_.entries_carry_origin()) one.sequences.push_back(some.back().origin_sequence);
    runs.add(fields_);
  }
  one.words = 1 + trimming.size() + runs.end();
  to.last_sequence = one.last;
  send(one, false);
  events_ += one.events;
  waiting_.push_back(std::move(one));
  ++sent_;
  ++fresh_;
}

void stream_out::send(const unacknowledged& what, bool adopts) {
  std::string& out = core_.commands().out();
  what.to->touched = pumps_;
  if (!is_scripted()) {
    out += what.bytes;
    return;
  }
  command_writer head(out);
  const bool is_awaited = what.token != 0;
  head.begin(10 + (is_awaited ? 1 : 0) + what.words).word("EVALSHA").word(sha_).number(is_awaited ? 3 : 2);
  head.word(what.to->key).word(what.to->producer_key);
  if (is_awaited) head.word(what.to->ids_key);
  head.number(signed_of(what.before)).number(signed_of(what.last)).word(adopts ? "1" : "0");
  head.number(mark_lives.count()).number(with_.ttl.count());
  out += what.bytes;
}

void stream_out::send_expiries() {
  if (with_.ttl.count() == 0 || is_scripted()) return;
  for (auto& each : targets_) {
    target& to = each.second;
    if (to.touched != pumps_) continue;
    to.touched = 0;
    command_writer(core_.commands().out()).begin(3).word("PEXPIRE").word(to.key).number(with_.ttl.count());
    expect_once(core_.commands(), [weak = weak_from_this(), &to](const reply* what) {
      const auto self = weak.lock();
      if (self) to.owes_expiry = what == nullptr || what->is_error();
    });
  }
}

void stream_out::unencodable(const metadata& about, const char* why) {
  outbound_route::unencodable(about, why);
  if (about.origin == core_.origin()) core_.confirming.fail(about.origin_sequence, errc::invalid_argument, why);
}

}  // namespace actorbus::redis
