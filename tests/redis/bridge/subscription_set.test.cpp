// The subscription set, told what the server says by hand.
#include <bridges/redis/subscription_set.hpp>

#include "tests/catch.hpp"

using namespace actorbus::redis;

namespace {

constexpr auto channel = subscription_set::kind::channel;
constexpr auto pattern = subscription_set::kind::pattern;

/// The commands asked for, one line each.
std::string asked(subscription_set& of) {
  std::string bytes;
  of.ask(bytes);
  std::string words;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto end = bytes.find("\r\n", at);
    const auto line = bytes.substr(at, end - at);
    at = end + 2;
    if (line[0] == '*') words += words.empty() ? "" : "; ";
    if (line[0] != '*' && line[0] != '$') words += line + ' ';
  }
  return words;
}

}  // namespace

TEST_CASE("what is wanted is asked for once, and settled when it is confirmed", "[subscription_set]") {
  subscription_set s;
  CHECK(s.is_settled());
  s.want(channel, "a");
  s.want(pattern, "b*");
  CHECK_FALSE(s.is_settled());
  CHECK(asked(s) == "SUBSCRIBE a ; PSUBSCRIBE b* ");
  CHECK(asked(s).empty());
  CHECK(s.confirmed("subscribe", "a"));
  CHECK_FALSE(s.is_settled());
  CHECK(s.confirmed("psubscribe", "b*"));
  CHECK(s.is_settled());
}

TEST_CASE("everything wanted is asked for again on the next connection, and nothing else", "[subscription_set]") {
  subscription_set s;
  s.want(channel, "a");
  s.want(channel, "b");
  asked(s);
  s.confirmed("subscribe", "a");
  s.drop(channel, "b");
  s.reset();
  CHECK_FALSE(s.is_settled());
  CHECK(asked(s) == "SUBSCRIBE a ");
}

TEST_CASE("what is wanted twice goes with the second drop", "[subscription_set]") {
  subscription_set s;
  s.want(channel, "a");
  s.want(channel, "a");
  CHECK(asked(s) == "SUBSCRIBE a ");
  s.drop(channel, "a");
  CHECK(asked(s).empty());
  s.drop(channel, "a");
  CHECK(asked(s) == "UNSUBSCRIBE a ");
  CHECK(s.empty());
}

TEST_CASE("given up and wanted again while confirmations are on their way, only the last counts",
          "[subscription_set]") {
  subscription_set s;
  s.want(channel, "a");
  asked(s);
  s.drop(channel, "a");
  asked(s);
  s.want(channel, "a");
  CHECK(asked(s) == "SUBSCRIBE a ");
  CHECK(s.confirmed("subscribe", "a"));
  CHECK_FALSE(s.is_settled());
  CHECK(s.confirmed("unsubscribe", "a"));
  CHECK_FALSE(s.is_settled());
  CHECK(s.confirmed("subscribe", "a"));
  CHECK(s.is_settled());
}

TEST_CASE("a confirmation that nobody awaits is told", "[subscription_set]") {
  subscription_set s;
  CHECK_FALSE(s.confirmed("subscribe", "a"));
  s.want(channel, "a");
  asked(s);
  CHECK_FALSE(s.confirmed("subscribe", "b"));
  CHECK_FALSE(s.confirmed("psubscribe", "a"));
  CHECK_FALSE(s.confirmed("message", "a"));
  CHECK_FALSE(s.confirmed("", ""));
  CHECK(s.confirmed("subscribe", "a"));
}

TEST_CASE("a refused subscription is settled, and tried again on the next connection", "[subscription_set]") {
  subscription_set s;
  CHECK_FALSE(s.refused());
  s.want(channel, "a");
  s.want(channel, "b");
  asked(s);
  CHECK(s.refused() == subscription_set::key{channel, "a"});
  CHECK(s.confirmed("subscribe", "b"));
  CHECK(s.is_settled());
  CHECK(asked(s).empty());
  s.reset();
  CHECK(asked(s) == "SUBSCRIBE a ; SUBSCRIBE b ");
}

TEST_CASE("names may hold any byte", "[subscription_set]") {
  subscription_set s;
  const std::string name("a\0\r\n*", 5);
  s.want(channel, name);
  std::string bytes;
  CHECK(s.ask(bytes) == 1);
  CHECK(bytes == std::string("*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\n") + name + "\r\n");
  CHECK(s.confirmed("subscribe", name));
}
