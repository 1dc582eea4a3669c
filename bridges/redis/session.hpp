// The life of one connection, without any I/O: it is told what happened, and says what to do next.
//
// connect -> log in and introduce itself -> ready -> lost -> wait -> connect ... until it is stopped. It keeps the
// deadlines too: of a connect, of a reply, of silence. Its owner performs each action that `next` returns, and asks
// again, until it returns `wait`; then at `wake_at` at the latest. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <bridges/redis/reply.hpp>
#include <bridges/redis/retry_schedule.hpp>

namespace actorbus::redis {

struct session_settings {
  std::string user = {};      ///< empty: the default user
  std::string password = {};  ///< both empty: it does not log in
  std::uint32_t database = 0;
  std::string client_name = {};  ///< as CLIENT LIST shows it; empty: none
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{5};
  std::chrono::nanoseconds command_timeout = std::chrono::seconds{5};  ///< without any reply while some are awaited
  std::chrono::nanoseconds health_check = std::chrono::seconds{15};    ///< silence before it asks whether the server is
                                                                       ///< there; 0: never
  std::chrono::nanoseconds idle_timeout{0};  ///< without a command, before it disconnects until there is one; 0: never
};

struct session_action {
  enum class kind : std::uint8_t {
    wait,     ///< until something happens, or `wake_at`
    connect,  ///< open a connection; tell `connected` or `disconnected`
    send,     ///< send `bytes`, and pass the next `replies` replies to `answered`
    open,     ///< ready: commands may go
    drop,     ///< close the connection at once; it was lost because of `text`. Do not tell `disconnected`
    end,      ///< stopped: nothing follows
  };
  kind what = kind::wait;
  std::string bytes = {};
  std::size_t replies = 0;
  std::string text = {};
};

class session {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  session(session_settings with, retry_schedule retries) : with_(std::move(with)), retries_(std::move(retries)) {}

  session_action next(time_point now);
  time_point wake_at() const;

  // What happened.

  void start() { wanted_ = true; }
  void stop() { stopping_ = true; }
  /// There is a command to be sent: ends the rest of an idle session.
  void wanted() { is_wanted_ = true; }
  void connected(time_point now);
  void disconnected(std::string reason, time_point now);
  /// Where the server saw the connection that was lost, as `127.0.0.1:50123`: it may still carry out what it was sent,
  /// when it finds the time for it. The next connection waits for its end, so that nothing old comes behind what is
  /// new.
  void left_behind(std::string address);
  /// A reply to what `send` sent.
  void answered(const reply& what, time_point now);
  /// Bytes came, or the server has made room for more of ours.
  void heard(time_point now) { heard_ = now; }
  /// Commands went out, one of whose replies may take so much longer than usual (a blocking read).
  void sent(time_point now, std::chrono::nanoseconds longer = {});
  /// Nothing is awaited any more.
  void settled() {
    awaits_ = false;
    longer_ = {};
  }

  // How it stands.

  bool is_ready() const { return state_ == state::ready; }
  bool is_stopped() const { return state_ == state::stopped; }
  /// Not connected, since nothing was wanted for so long; or it was so, and the connection that is wanted now has not
  /// come about yet, nor failed.
  bool rests() const { return state_ == state::idle || wakes_; }
  bool is_stopping() const { return stopping_; }
  /// How often it was connected; the number of the present connection.
  std::uint64_t connections() const { return connections_; }
  /// CLIENT ID, 0 if the server does not tell.
  std::int64_t client_id() const { return client_id_; }
  const std::string& lost_because() const { return reason_; }

 private:
  enum class state : std::uint8_t { idle, connecting, greeting, ready, lost, waiting, stopped };
  enum class question : std::uint8_t { ping, auth, select, left, name, id };

  session_action greet(time_point now);
  bool awaits_its_end() const { return greeted_ && questions_.empty() && left_behind_; }
  std::string about_left_behind(time_point now) const;
  session_action lose(std::string reason, time_point now);
  session_action look(time_point now);
  void come_down(std::string reason, time_point now);

  const session_settings with_;
  retry_schedule retries_;
  state state_ = state::idle;
  bool wanted_ = false;
  bool stopping_ = false;
  bool is_wanted_ = false;
  bool wakes_ = false;    ///< left its rest because something is wanted
  bool greeted_ = false;  ///< the greeting was sent
  bool pinged_ = false;   ///< a health check is awaited
  bool awaits_ = false;
  bool refused_ = false;  ///< the greeting was, because of reason_
  std::uint64_t connections_ = 0;
  std::int64_t client_id_ = 0;
  std::optional<std::pair<std::int64_t, std::string>> left_behind_;  ///< its id and address
  std::string questions_;  ///< what the awaited answers of the greeting are to, a question each
  std::string reason_;
  time_point deadline_{};               ///< of connecting, greeting or waiting
  time_point ask_again_{};              ///< about what was left behind
  time_point heard_{};                  ///< or began to wait for a reply
  time_point sent_{};                   ///< the last command
  std::chrono::nanoseconds longer_{0};  ///< of what is awaited
};

}  // namespace actorbus::redis
