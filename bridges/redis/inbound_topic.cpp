#include <bridges/redis/inbound_topic.hpp>

#include <algorithm>
#include <utility>

#include <bus/errors.hpp>

namespace actorbus::redis {

namespace {

/// Events offered between two looks at which of them are in the log.
constexpr std::size_t looked_at_once = 1024;

}  // namespace

inbound_topic::inbound_topic(bridge_core& of, std::string name, const route_type& type)
    : core_(of), name_(std::move(name)), type_(type) {}

void inbound_topic::open() { port_ = type_.open_in(core_.bus(), name_); }

inbound_topic::outcome inbound_topic::offer(incoming& what, payload_shape shape, const entry_name* of) {
  if (what.origin == core_.origin()) {
    ++core_.counts.echoes;
    return outcome::done;
  }
  headers with = std::move(what.headers);
  if (of != nullptr) with.set(id_header, stream_offset::text_of(of->text, what.place));
  const auto why = port_->accept(what, shape, what.origin == 0 ? foreign_origin : what.origin, std::move(with));
  if (of != nullptr && (!why || why == errc::would_block)) remember({{of->id, what.place}, of->before});
  return settle(why);
}

inbound_topic::outcome inbound_topic::retry() { return full_ ? settle(port_->retry()) : outcome::done; }

inbound_topic::outcome inbound_topic::tell(const log_notice& what) {
  if (retry() == outcome::full) return outcome::full;  // behind the event that waits
  const auto why = port_->notice(what);
  if (why == errc::would_block) return outcome::full;
  if (why) return outcome::over;
  if (!std::holds_alternative<caught_up>(what)) ++core_.counts.gaps;
  if (!offered_.empty()) remember({});
  return outcome::done;
}

void inbound_topic::remember(offered what) {
  if (offered_.size() >= forget_at_) forget_appended();
  offered_.push_back(what);
}

void inbound_topic::forget_appended() {
  const std::size_t pending = port_->pending();
  if (offered_.size() > pending) {
    offered_.erase(offered_.begin(), offered_.begin() + static_cast<std::ptrdiff_t>(offered_.size() - pending));
  }
  forget_at_ = offered_.size() + looked_at_once;
}

std::optional<inbound_topic::offered> inbound_topic::first_pending() {
  forget_appended();
  const auto first =
      std::find_if(offered_.begin(), offered_.end(), [](const auto& each) { return each.at.id != stream_id{}; });
  return first == offered_.end() ? std::nullopt : std::optional(*first);
}

inbound_topic::outcome inbound_topic::settle(std::error_code why) {
  full_ = why == errc::would_block;
  if (full_) return outcome::full;
  if (!why) {
    ++core_.counts.in;
    return outcome::done;
  }
  if (why == errc::closed || why == errc::finished) return outcome::over;
  ++core_.counts.decode_failures;  // or an interceptor said no
  core_.warn("not decodable", "an event for '" + name_ + "' was set aside: " + why.message());
  return outcome::done;
}

}  // namespace actorbus::redis
