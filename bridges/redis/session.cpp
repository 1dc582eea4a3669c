#include <bridges/redis/session.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <bridges/redis/command.hpp>

namespace actorbus::redis {

namespace {

/// Between two looks at whether the server still has the connection that was left behind.
constexpr std::chrono::milliseconds look_again{10};

/// What the server says to AUTH, unless its words may be ours: where the command is renamed, it quotes user and
/// password.
std::string without_secrets(const reply& refusal) {
  static constexpr std::array<std::string_view, 8> harmless{"WRONGPASS ",
                                                            "NOAUTH ",
                                                            "LOADING ",
                                                            "MASTERDOWN ",
                                                            "BUSY ",
                                                            "ERR invalid password",
                                                            "ERR Client sent AUTH, but no password is set",
                                                            "ERR AUTH <password> called without any password"};
  for (const auto each : harmless) {
    if (refusal.text.starts_with(each)) return std::string(refusal.text);
  }
  return std::string(refusal.error_code()) + " (its text is left out, it may hold the password)";
}

std::string seconds_of(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

}  // namespace

session_action session::next(time_point now) {
  using kind = session_action::kind;
  if (stopping_ && state_ != state::stopped) {
    const bool was_up = state_ == state::connecting || state_ == state::greeting || state_ == state::ready;
    if (was_up) return come_down("closed", now), session_action{kind::drop, {}, 0, "closed"};
    state_ = state::stopped;
    return {kind::end, {}, 0, {}};
  }
  switch (state_) {
    case state::idle:
      if (!wanted_ && !is_wanted_) return {};
      wakes_ = !wanted_;
      [[fallthrough]];
    case state::waiting:
      if (state_ == state::waiting && now < deadline_) return {};
      wanted_ = is_wanted_ = false;
      state_ = state::connecting;
      deadline_ = now + with_.connect_timeout;
      return {kind::connect, {}, 0, {}};
    case state::connecting:
      if (now < deadline_) return {};
      return lose("no connection within " + seconds_of(with_.connect_timeout), now);
    case state::greeting:
      return greet(now);
    case state::ready:
      return look(now);
    case state::lost:
      state_ = state::waiting;
      deadline_ = now + retries_.next();
      return {};
    case state::stopped:
      return {};
  }
  return {};
}

session::time_point session::wake_at() const {
  switch (state_) {
    case state::greeting:
      return awaits_its_end() ? ask_again_ : deadline_;
    case state::connecting:
    case state::waiting:
      return deadline_;
    case state::ready: {
      auto at = time_point::max();
      if (awaits_ || pinged_) {
        at = heard_ + longer_ + with_.command_timeout;
      } else if (with_.health_check.count() != 0) {
        at = heard_ + with_.health_check;
      }
      if (with_.idle_timeout.count() != 0 && !awaits_) at = std::min(at, sent_ + with_.idle_timeout);
      return at;
    }
    case state::idle:
    case state::lost:
    case state::stopped:
      break;
  }
  return time_point::max();
}

void session::connected(time_point now) {
  if (state_ != state::connecting) return;
  state_ = state::greeting;
  greeted_ = refused_ = pinged_ = awaits_ = false;
  client_id_ = 0;
  ++connections_;
  heard_ = sent_ = now;
  longer_ = {};
  deadline_ = now + with_.command_timeout;
}

void session::disconnected(std::string reason, time_point now) { come_down(std::move(reason), now); }

void session::left_behind(std::string address) {
  if (client_id_ != 0 && !address.empty()) left_behind_.emplace(client_id_, std::move(address));
}

void session::come_down(std::string reason, time_point) {
  if (state_ != state::connecting && state_ != state::greeting && state_ != state::ready) return;
  state_ = state::lost;
  wakes_ = false;
  reason_ = std::move(reason);
  questions_.clear();
}

session_action session::lose(std::string reason, time_point now) {
  come_down(reason, now);
  return {session_action::kind::drop, {}, 0, std::move(reason)};
}

session_action session::greet(time_point now) {
  if (awaits_its_end()) {
    if (now < ask_again_) return {};
    questions_ = static_cast<char>(question::left);
    return {session_action::kind::send, about_left_behind(now), 1, {}};
  }
  if (greeted_ && questions_.empty()) {
    state_ = state::ready;
    wakes_ = false;
    retries_.reset();
    return {session_action::kind::open, {}, 0, {}};
  }
  if (!reason_.empty() && greeted_ && refused_) return lose(std::exchange(reason_, {}), now);  // it was refused
  if (greeted_)
    return now < deadline_ ? session_action{}
                           : lose("no answer to the greeting within " + seconds_of(with_.command_timeout), now);
  greeted_ = true;
  ask_again_ = now;
  reason_.clear();
  session_action hello{session_action::kind::send, {}, 0, {}};
  auto ask = [&](question what, std::initializer_list<std::string_view> words) {
    append_command(hello.bytes, words);
    questions_ += static_cast<char>(what);
    ++hello.replies;
  };
  if (!with_.user.empty()) {
    ask(question::auth, {"AUTH", with_.user, with_.password});  // also one who needs no password
  } else if (!with_.password.empty()) {
    ask(question::auth, {"AUTH", with_.password});
  }
  // RESP2 needs no HELLO: it is what every connection begins with, and servers before 6 do not know the command.
  if (with_.database != 0) ask(question::select, {"SELECT", std::to_string(with_.database)});
  if (!with_.client_name.empty()) ask(question::name, {"CLIENT", "SETNAME", with_.client_name});
  ask(question::id, {"CLIENT", "ID"});
  ask(question::ping, {"PING"});
  return hello;
}

/// Whether the server still has it; in the end it is told to end it. By id and address: a server that was started anew
/// counts from 1 again.
std::string session::about_left_behind(time_point now) const {
  const auto& [id, address] = *left_behind_;
  const std::string number = std::to_string(id);
  if (now < deadline_ - with_.command_timeout / 2) return command({"CLIENT", "LIST", "ID", number});
  return command({"CLIENT", "KILL", "ID", number, "ADDR", address});
}

void session::answered(const reply& what, time_point now) {
  heard_ = now;
  if (state_ == state::ready) {
    pinged_ = false;
    return;
  }
  if (state_ != state::greeting || questions_.empty()) return;
  const auto to = static_cast<question>(questions_.front());
  questions_.erase(0, 1);
  if (to == question::left) {
    ask_again_ = now + look_again;
    const bool is_there = what.is_text() && what.text.find(left_behind_->second + ' ') != what.text.npos;
    if (!is_there && what.error_code() != "BUSY") left_behind_.reset();
  }
  if (to == question::id && what.kind == reply_kind::integer) client_id_ = what.integer;
  if (!what.is_error()) return;
  const auto code = what.error_code();
  const bool is_essential = to == question::auth || to == question::select;
  const bool not_yet = code == "LOADING" || code == "NOAUTH" || code == "MASTERDOWN" || code == "BUSY";
  if (!is_essential && !not_yet) return;  // a server or an ACL that knows less: not needed
  if (refused_) return;                   // the first reason counts
  refused_ = true;
  const char* asked = to == question::auth ? "AUTH: " : to == question::select ? "SELECT: " : "";
  reason_ = asked + (to == question::auth ? without_secrets(what) : std::string(what.text));
  questions_ = static_cast<char>(question::ping);  // never ready
}

void session::sent(time_point now, std::chrono::nanoseconds longer) {
  // From the first of those that are awaited: who goes on sending must find out, too.
  if (!awaits_) heard_ = std::max(heard_, now);
  awaits_ = true;
  sent_ = now;
  longer_ = std::max(longer_, longer);
}

session_action session::look(time_point now) {
  using kind = session_action::kind;
  if ((awaits_ || pinged_) && now >= heard_ + longer_ + with_.command_timeout) {
    return lose("no reply within " + seconds_of(with_.command_timeout), now);
  }
  if (with_.idle_timeout.count() != 0 && !awaits_ && now >= sent_ + with_.idle_timeout) {
    state_ = state::idle;
    is_wanted_ = false;
    reason_ = "idle";
    return {kind::drop, {}, 0, "idle"};
  }
  if (!awaits_ && !pinged_ && with_.health_check.count() != 0 && now >= heard_ + with_.health_check) {
    pinged_ = true;
    heard_ = now;  // its reply has the whole of the time
    return {kind::send, command({"PING"}), 1, {}};
  }
  return {};
}

}  // namespace actorbus::redis
