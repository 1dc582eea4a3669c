// What becomes of the entries that went out: acknowledged, to be sent again, or given up.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <algorithm>
#include <array>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/replica_waits.hpp>
#include <bridges/redis/stream_out.hpp>

namespace actorbus::redis {

namespace {

/// Strings kept for their memory, and how large one may be.
constexpr std::size_t most_spare = 1024;
constexpr std::size_t largest_spare = std::size_t{16} * 1024;

/// What may pass: the event is sent again.
bool is_passing(std::string_view code) {
  static constexpr std::array<std::string_view, 11> codes{"LOADING",    "BUSY",       "OOM",      "READONLY",
                                                          "MISCONF",    "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN",
                                                          "NOREPLICAS", "NOSCRIPT",   "GAP"};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

void stream_out::take(const reply& what, connection&) {
  if (answered_ >= waiting_.size()) return;
  if (what.is_error()) {
    failed(what);
  } else {
    acknowledged(what);
  }
  if (rewinding_ && answered_ == sent_) {
    rewinding_ = false;
    for (const auto& each : waiting_) core_.counts.resent += each.events;
    return pump_later(std::exchange(rest_, std::chrono::nanoseconds{0}));
  }
  // Half empty, so that what is taken goes out in batches.
  if (events_ <= core_.options().max_in_flight / 2) pump_soon();
}

void stream_out::acknowledged(const reply& what) {
  const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(answered_);
  core_.counts.out += at->events;
  events_ -= at->events;
  if (at->token != 0) confirm(*at, what);
  if (at->token != 0 && is_scripted()) confirmed_.emplace_back(at->to, at->last);
  if (!at->sequences.empty()) {
    if (const auto id = stream_id::parse(what.text)) at->to->own.add(*id, std::move(at->sequences));
  }
  if (spare_.size() < most_spare && at->bytes.capacity() <= largest_spare) spare_.push_back(std::move(at->bytes));
  waiting_.erase(at);
  --sent_;
  retries_.reset();
}

void stream_out::failed(const reply& what) {
  const auto code = what.error_code();
  if (!is_passing(code)) return give_up(what);
  if (code == "GAP") {
    // Behind one that failed that is to be expected. Else all before it was acknowledged: the server has lost it.
    if (!rewinding_) adopt(what);
  } else if (code != "NOSCRIPT") {
    rest_ = std::max(rest_, rewinding_ ? std::chrono::nanoseconds{0} : retries_.next());
    core_.warn("try again", "the server does not take events of '" + pattern_ + "' now: " + std::string(what.text));
  }
  rewinding_ = true;
  ++answered_;
}

/// The producer goes on behind what the server does not know any more.
void stream_out::adopt(const reply& why) {
  adopts_ = true;
  waiting_[answered_].to->newest.forget();
  // No mark at all is no loss: after a day without an event it has expired. Or everything is lost, and nobody can tell.
  if (why.text.ends_with(" none")) return;
  core_.warn("lost by the server", "the server has lost events of '" + pattern_ + "' that it had acknowledged");
}

/// The server will never take it.
void stream_out::give_up(const reply& what) {
  const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(answered_);
  core_.counts.refused += at->events;
  at->to->newest.forget();
  core_.warn("refused", "the server refused an event of '" + pattern_ + "': " + std::string(what.text));
  if (at->token != 0) core_.confirming.fail(at->token, errc::refused_by_server, std::string(what.text));
  for (const auto& each : at->echoes) core_.echoes.take_back(at->to->key, each);
  events_ -= at->events;
  --sent_;
  // The next of its stream follows what came before it: a producer's marks have no holes.
  if (is_scripted()) {
    const auto next = std::find_if(at + 1, waiting_.end(), [&](const auto& each) { return each.to == at->to; });
    if (next != waiting_.end()) {
      next->before = at->before;
    } else {
      at->to->last_sequence = at->before;
    }
    rewinding_ = rewinding_ || sent_ != answered_;
  }
  waiting_.erase(at);
}

void stream_out::lost(std::size_t) { sent_ = answered_ = 0; }

/// One command for all of a stream: those that wait for their ids may be many.
void stream_out::forget_ids() {
  for (auto at = confirmed_.begin(); at != confirmed_.end();) {
    const auto end = std::find_if(at, confirmed_.end(), [&](const auto& each) { return each.first != at->first; });
    command_writer out(core_.commands().out());
    out.begin(static_cast<std::size_t>(end - at) + 2).word("HDEL").word(at->first->ids_key);
    for (; at != end; ++at) out.number(static_cast<std::int64_t>(at->second));
    expect_once(core_.commands(), [](const reply*) {});  // what is left of it expires
  }
  confirmed_.clear();
}

void stream_out::resend() {
  ++pumps_;
  for (auto& [topic, to] : targets_) {
    if (std::exchange(to.owes_expiry, false)) to.touched = pumps_;
  }
  sent_ = waiting_.size();
  answered_ = 0;
  bool first = adopts_;
  std::vector<target*> adopted;
  for (const auto& each : waiting_) {
    // The first of each stream says where its producer stands.
    const bool is_first = first && std::find(adopted.begin(), adopted.end(), each.to) == adopted.end();
    if (is_first) adopted.push_back(each.to);
    send(each, is_first);
  }
  adopts_ = false;
  if (sent_ != 0) core_.commands().expect(*this, sent_);
  send_expiries();
}

void stream_out::confirm(const unacknowledged& what, const reply& id) {
  auto waiting = core_.confirming.take(what.token);
  if (!waiting) return;
  const auto parsed = stream_id::parse(id.text);
  if (!parsed) {  // it had been added before, and the reply with its id was lost
    waiting->promise.set_exception(std::make_exception_ptr(bus_error(
        errc::not_connected, "publish_confirmed: the event is in the stream, but its id was lost with a connection")));
    return;
  }
  if (waiting->replicas == 0) return waiting->promise.set_value(*parsed);
  core_.replicas().add(std::move(*waiting), *parsed);
}

}  // namespace actorbus::redis
