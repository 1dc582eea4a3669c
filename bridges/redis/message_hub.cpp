#include <bridges/redis/message_hub.hpp>

#include <utility>

#include <bridges/redis/bridge_core.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

std::string text_of(std::string_view text) { return std::string(text); }

}  // namespace

subscription_set::key subscription_of(const wire_format& as, std::string_view prefix, std::string_view pattern) {
  if (is_literal(pattern)) return {subscription_set::kind::channel, as.channel(prefix, pattern)};
  return {subscription_set::kind::pattern, as.channel_glob(prefix, pattern)};
}

message_hub::message_hub(bridge_core& of) : core_(of), connection_(of.connect(*this, "messages", true)) {
  connection_->start();
}

message_hub::~message_hub() = default;

void message_hub::subscribe(subscription_set::kind what, const std::string& name, message_taker& to) {
  of(what)[name] = {&to};
  wanted_.want(what, name);
  changed();
  ask();
}

void message_hub::unsubscribe(subscription_set::kind what, const std::string& name) {
  of(what).erase(name);
  wanted_.drop(what, name);
  changed();
  ask();
}

void message_hub::stop() { connection_->stop(); }

void message_hub::ask() {
  if (!is_open_) return;
  const std::size_t asked = wanted_.ask(connection_->out());
  if (asked != 0) connection_->expect_pushes(asked);
  if (!is_settled()) core_.states().waits(supervisor::role::messages);
  tell_ready();
}

void message_hub::tell_ready() {
  if (is_settled()) core_.states().ready(supervisor::role::messages);
}

void message_hub::on_connecting(connection&) { core_.states().connecting(supervisor::role::messages); }

void message_hub::on_open(connection&) {
  is_open_ = true;
  ask();
}

void message_hub::on_lost(connection&, const std::string& reason) {
  is_open_ = false;
  reason_ = reason;
  wanted_.reset();
  echoes.forget();
  core_.states().lost(supervisor::role::messages, reason);
  changed();
}

bool message_hub::is_undecided(const subscription_set::key& which) const {
  if (is_open_) return wanted_.answer_to(which) == subscription_set::answer::awaited;
  const auto& in = which.first == subscription_set::kind::channel ? channels_ : patterns_;
  const auto found = in.find(which.second);
  return found == in.end() || !found->second.was_answered;
}

void message_hub::changed() {
  core_.rerouted();
  for (const auto& each : std::exchange(on_change_, {})) each();
}

void message_hub::was_answered(const subscription_set::key& which) {
  auto& in = of(which.first);
  if (const auto found = in.find(which.second); found != in.end()) found->second.was_answered = true;
  changed();
}

void message_hub::not_echoed(const std::string& channel, const echo_filter::mark& what, bool was_refused) {
  const bool was_there = echoes.take_back(channel, what);
  if (!was_there || !was_refused) doubt(channel);
}

void message_hub::doubt(const std::string& channel) {
  static const std::string reason = "what was published here was lost on the way, and may stand for somebody else's";
  if (!is_open_) return;  // it is told when it is open again
  if (const auto found = channels_.find(channel); found != channels_.end()) {
    found->second.to->after_gap_on(channel, reason);
  }
  for (const auto& [glob, each] : patterns_) each.to->after_gap_on(channel, reason);
}

void message_hub::on_push(connection& which, const reply& what) {
  if (what.is_error()) {
    // What passes is asked for again, on another connection after a while.
    const auto code = what.error_code();
    if (code == "BUSY" || code == "LOADING" || code == "MASTERDOWN") return which.drop(text_of(what.text));
    const auto refused = wanted_.refused();
    if (!refused) return which.drop(text_of(what.text));
    ++core_.counts.refused;
    core_.warn("subscription refused",
               "the server refused the subscription to '" + refused->second + "': " + text_of(what.text));
    was_answered(*refused);
    return tell_ready();
  }
  const auto& kind = what.elements[0].text;
  if (kind == "message") {
    const auto found = channels_.find(text_of(what.elements[1].text));
    if (found != channels_.end()) found->second.to->message(what.elements[1].text, what.elements[2].text);
  } else if (kind == "pmessage") {
    if (what.elements.size() < 4) return which.drop("not a message of a Redis server");
    const auto found = patterns_.find(text_of(what.elements[1].text));
    if (found != patterns_.end()) found->second.to->message(what.elements[2].text, what.elements[3].text);
  } else {
    confirmed(what);
  }
}

void message_hub::confirmed(const reply& what) {
  const auto verb = what.elements[0].text;
  const auto name = what.elements[1].text;
  if (!wanted_.confirmed(verb, name)) return connection_->drop("the server confirmed a subscription nobody asked for");
  const bool is_pattern = verb == "psubscribe";
  if (is_pattern || verb == "subscribe") {
    const auto kind = is_pattern ? subscription_set::kind::pattern : subscription_set::kind::channel;
    auto& in = of(kind);
    const auto found = in.find(text_of(name));
    if (found != in.end()) {
      if (found->second.was_subscribed) found->second.to->after_gap(reason_);
      found->second.was_subscribed = true;
    }
    was_answered({kind, text_of(name)});
  }
  tell_ready();
}

}  // namespace actorbus::redis
