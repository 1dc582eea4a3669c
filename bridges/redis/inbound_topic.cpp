#include <bridges/redis/inbound_topic.hpp>

#include <utility>

#include <bus/errors.hpp>

namespace actorbus::redis {

inbound_topic::inbound_topic(bridge_core& of, std::string name, const route_type& type)
    : core_(of), name_(std::move(name)), type_(type) {}

void inbound_topic::open() { port_ = type_.open_in(core_.bus(), name_); }

inbound_topic::outcome inbound_topic::offer(incoming& what, payload_shape shape, std::string_view id) {
  if (what.origin == core_.origin()) {
    ++core_.counts.echoes;
    return outcome::done;
  }
  headers with = std::move(what.headers);
  if (!id.empty()) with.set(id_header, std::string(id));
  return settle(port_->accept(what, shape, what.origin == 0 ? foreign_origin : what.origin, std::move(with)));
}

inbound_topic::outcome inbound_topic::retry() { return full_ ? settle(port_->retry()) : outcome::done; }

inbound_topic::outcome inbound_topic::tell(const log_notice& what) {
  if (retry() == outcome::full) return outcome::full;  // behind the event that waits
  const auto why = port_->notice(what);
  if (!why) ++core_.counts.gaps;
  if (why == errc::would_block) return outcome::full;
  return why ? outcome::over : outcome::done;
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
