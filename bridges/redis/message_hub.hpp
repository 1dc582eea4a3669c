// The connection that messages come in by: what is subscribed to there, and to whom each message goes.
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <bridges/redis/connection.hpp>
#include <bridges/redis/echo_filter.hpp>
#include <bridges/redis/subscription_set.hpp>

namespace actorbus::redis {

class bridge_core;
class wire_format;

/// Who receives the messages of a channel or a pattern.
class message_taker {
 public:
  virtual ~message_taker() = default;
  virtual void message(std::string_view channel, std::string_view payload) = 0;
  /// The server confirmed the subscription again after the connection was lost: messages may be missing before here.
  virtual void after_gap(const std::string& reason) = 0;
  /// Messages of this channel, which may be no matter of its, may be missing before here.
  virtual void after_gap_on(const std::string& channel, const std::string& reason) = 0;
};

/// By which the messages of a topic, or of those that a pattern covers, come.
subscription_set::key subscription_of(const wire_format& as, std::string_view prefix, std::string_view pattern);

class message_hub final : public connection_owner {
 public:
  explicit message_hub(bridge_core& of);
  ~message_hub() override;

  void subscribe(subscription_set::kind what, const std::string& name, message_taker& to);
  void unsubscribe(subscription_set::kind what, const std::string& name);
  void stop();
  /// Whether the server has confirmed everything.
  bool is_settled() const { return is_open_ && wanted_.is_settled(); }
  /// What is published from now on comes back, as far as this subscription concerns it.
  bool is_confirmed(const subscription_set::key& which) const {
    return is_open_ && wanted_.answer_to(which) == subscription_set::answer::subscribed;
  }
  /// Nobody can say whether it does. Not so once the connection is lost: what comes then comes behind a gap.
  bool is_undecided(const subscription_set::key& which) const;
  /// Calls it once, when what these two say may have changed.
  void when_changed(std::function<void()> call) { on_change_.push_back(std::move(call)); }
  /// What was remembered of a message that the server refused, or of one that was lost on the way. Where somebody
  /// else's may have been taken for it, who takes the channel's messages is told of a gap.
  void not_echoed(const std::string& channel, const echo_filter::mark& what, bool was_refused);
  void doubt(const std::string& channel);

  /// What this process published, and comes back without an origin.
  echo_filter echoes;

  void on_connecting(connection& which) override;
  void on_open(connection& which) override;
  void on_lost(connection& which, const std::string& reason) override;
  void on_push(connection& which, const reply& what) override;

 private:
  struct listener {
    message_taker* to;
    bool was_subscribed = false;
    bool was_answered = false;
  };
  using listeners = std::unordered_map<std::string, listener>;

  void ask();
  void confirmed(const reply& what);
  void tell_ready();
  void changed();
  void was_answered(const subscription_set::key& which);
  listeners& of(subscription_set::kind what) { return what == subscription_set::kind::channel ? channels_ : patterns_; }

  bridge_core& core_;
  std::shared_ptr<connection> connection_;
  subscription_set wanted_;
  listeners channels_;
  listeners patterns_;
  std::vector<std::function<void()>> on_change_;
  std::string reason_;
  bool is_open_ = false;
};

}  // namespace actorbus::redis
