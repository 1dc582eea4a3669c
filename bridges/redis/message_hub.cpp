#include <bridges/redis/message_hub.hpp>

#include <bridges/redis/bridge_core.hpp>

namespace actorbus::redis {

namespace {

std::string text_of(std::string_view text) { return std::string(text); }

}  // namespace

message_hub::message_hub(bridge_core& of) : core_(of), connection_(of.connect(*this, "messages", true)) {
  connection_->start();
}

message_hub::~message_hub() = default;

void message_hub::subscribe(subscription_set::kind what, const std::string& name, message_taker& to) {
  of(what)[name] = {&to};
  wanted_.want(what, name);
  ask();
}

void message_hub::unsubscribe(subscription_set::kind what, const std::string& name) {
  of(what).erase(name);
  wanted_.drop(what, name);
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
  core_.echoes.forget();
  core_.states().lost(supervisor::role::messages, reason);
}

void message_hub::on_push(connection& which, const reply& what) {
  if (what.is_error()) {
    // What passes is asked for again, on another connection after a while.
    const auto code = what.error_code();
    if (code == "BUSY" || code == "LOADING" || code == "MASTERDOWN") return which.drop(text_of(what.text));
    const std::string name = wanted_.refused();
    if (name.empty()) return which.drop(text_of(what.text));
    ++core_.counts.refused;
    core_.warn("subscription refused", "the server refused the subscription to '" + name + "': " + text_of(what.text));
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
    auto& in = of(is_pattern ? subscription_set::kind::pattern : subscription_set::kind::channel);
    const auto found = in.find(text_of(name));
    if (found != in.end()) {
      if (found->second.was_subscribed) found->second.to->after_gap(reason_);
      found->second.was_subscribed = true;
    }
  }
  tell_ready();
}

}  // namespace actorbus::redis
