// What is wanted of a connection that receives messages, beside what the server has confirmed, without any I/O.
//
// Wanted is state: it is asked for again on every connection. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace actorbus::redis {

class subscription_set {
 public:
  enum class kind : std::uint8_t { channel, pattern };
  using key = std::pair<kind, std::string>;

  /// Counted: what is wanted twice goes with the second drop.
  void want(kind what, const std::string& name);
  void drop(kind what, const std::string& name);

  /// A connection begins or ended: nothing is asked for or confirmed.
  void reset();

  /// Appends the commands that are still to be sent. Returns how many confirmations follow.
  std::size_t ask(std::string& to);

  /// A confirmation came: `verb` is subscribe, unsubscribe, psubscribe or punsubscribe. False: not the one awaited.
  bool confirmed(std::string_view verb, std::string_view name);
  /// The oldest one awaited was refused; it is not asked for again on this connection. Returns it, empty if none is
  /// awaited.
  std::optional<key> refused();

  enum class answer : std::uint8_t { awaited, subscribed, refused };
  /// What the server has said to it. Awaited, too, what is not wanted.
  answer answer_to(const key& which) const;
  /// The server has answered for everything wanted.
  bool is_settled() const { return unsettled_ == 0; }
  bool awaits() const { return !awaited_.empty(); }
  bool empty() const { return wanted_.empty(); }

 private:
  struct standing {
    std::size_t uses = 0;
    bool asked = false;     ///< SUBSCRIBE was sent, and no UNSUBSCRIBE since
    bool answered = false;  ///< so was the last that was sent
    bool refused = false;   ///< and that was the answer
  };

  static bool is_news(const standing& s) { return (s.uses != 0) != s.asked; }
  static bool is_unsettled(const standing& s) { return s.uses != 0 && !(s.asked && s.answered); }
  template <class Change>
  void change(std::map<key, standing>::iterator at, Change how);
  void answered(bool refused);

  std::map<key, standing> wanted_;
  std::deque<std::pair<key, bool>> awaited_;  ///< the server answers in order; true: to subscribe
  std::size_t news_ = 0;
  std::size_t unsettled_ = 0;
};

}  // namespace actorbus::redis
