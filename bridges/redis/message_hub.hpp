// The connection that messages come in by: what is subscribed to there, and to whom each message goes.
//
// Threads: the loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <bridges/redis/connection.hpp>
#include <bridges/redis/subscription_set.hpp>

namespace actorbus::redis {

class bridge_core;

/// Who receives the messages of a channel or a pattern.
class message_taker {
 public:
  virtual ~message_taker() = default;
  virtual void message(std::string_view channel, std::string_view payload) = 0;
  /// The server confirmed the subscription again after the connection was lost: messages may be missing before here.
  virtual void after_gap(const std::string& reason) = 0;
};

class message_hub final : public connection_owner {
 public:
  explicit message_hub(bridge_core& of);
  ~message_hub() override;

  void subscribe(subscription_set::kind what, const std::string& name, message_taker& to);
  void unsubscribe(subscription_set::kind what, const std::string& name);
  void stop();
  /// Whether the server has confirmed everything, so that what is published now comes back.
  bool is_settled() const { return is_open_ && wanted_.is_settled(); }

  void on_connecting(connection& which) override;
  void on_open(connection& which) override;
  void on_lost(connection& which, const std::string& reason) override;
  void on_push(connection& which, const reply& what) override;

 private:
  struct listener {
    message_taker* to;
    bool was_subscribed = false;
  };
  using listeners = std::unordered_map<std::string, listener>;

  void ask();
  void confirmed(const reply& what);
  void tell_ready();
  listeners& of(subscription_set::kind what) { return what == subscription_set::kind::channel ? channels_ : patterns_; }

  bridge_core& core_;
  std::shared_ptr<connection> connection_;
  subscription_set wanted_;
  listeners channels_;
  listeners patterns_;
  std::string reason_;
  bool is_open_ = false;
};

}  // namespace actorbus::redis
