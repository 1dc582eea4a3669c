// The session, told what happened by hand: no socket, no server, no waiting.
#include <bridges/redis/session.hpp>

#include "tests/catch.hpp"

using namespace actorbus::redis;
using namespace std::chrono_literals;

namespace {

using kind = session_action::kind;

/// A session with a clock of the test's.
struct script {
  explicit script(session_settings with = {})
      : session(std::move(with), retry_schedule(100ms, 1s, [] { return ~0ull; })) {}

  session_action next() { return session.next(now); }
  kind next_kind() { return next().what; }
  void answer(reply_kind what, std::string_view text = {}, std::int64_t integer = 0) {
    session.answered({.kind = what, .integer = integer, .text = text}, now);
  }
  /// From nothing to the greeting.
  session_action connect() {
    session.start();
    REQUIRE(next_kind() == kind::connect);
    session.connected(now);
    return next();
  }
  void become_ready() {
    const auto hello = connect();
    REQUIRE(hello.what == kind::send);
    for (std::size_t i = 0; i < hello.replies; ++i) answer(reply_kind::status, "OK");
    REQUIRE(next_kind() == kind::open);
  }

  actorbus::redis::session session;
  session::time_point now{1h};
};

}  // namespace

TEST_CASE("a session does nothing before it is started", "[session]") {
  script s;
  CHECK(s.next_kind() == kind::wait);
  CHECK(s.session.wake_at() == session::time_point::max());
}

TEST_CASE("a session connects, introduces itself and is ready once everything is answered", "[session]") {
  script s({.client_name = "app"});
  const auto hello = s.connect();
  CHECK(hello.what == kind::send);
  CHECK(hello.replies == 3);
  CHECK(hello.bytes.find("SETNAME") != std::string::npos);
  CHECK(s.next_kind() == kind::wait);
  s.answer(reply_kind::status, "OK");
  s.answer(reply_kind::integer, {}, 42);
  CHECK(s.next_kind() == kind::wait);
  s.answer(reply_kind::status, "PONG");
  CHECK(s.next_kind() == kind::open);
  CHECK(s.session.is_ready());
  CHECK(s.session.client_id() == 42);
  CHECK(s.session.connections() == 1);
}

TEST_CASE("a session logs in with a password, as a user, and selects its database", "[session]") {
  script plain({.password = "secret"});
  CHECK(plain.connect().bytes.find("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n") == 0);
  script user({.user = "ann", .password = "secret", .database = 3});
  const auto hello = user.connect();
  CHECK(hello.bytes.find("*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n") == 0);
  CHECK(hello.replies == 4);
}

TEST_CASE("a session logs in as a user who needs no password", "[session]") {
  script s({.user = "ann"});
  const auto hello = s.connect();
  CHECK(hello.bytes.find("*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$0\r\n\r\n") == 0);
  CHECK(hello.replies == 3);
}

TEST_CASE("what a server quotes of a login stays out of the reason", "[session]") {
  script s({.user = "bob", .password = "hunter2"});
  s.connect();
  s.answer(reply_kind::error, "ERR unknown command 'AUTH', with args beginning with: 'bob' 'hunter2' ");
  const auto drop = s.next();
  CHECK(drop.what == kind::drop);
  CHECK(drop.text == "AUTH: ERR (its text is left out, it may hold the password)");
  CHECK(s.session.lost_because().find("hunter2") == std::string::npos);
}

TEST_CASE("a password where the server wants none is told as such", "[session]") {
  script s({.password = "secret"});
  s.connect();
  const std::string text = "ERR AUTH <password> called without any password configured for the default user.";
  s.answer(reply_kind::error, text);
  CHECK(s.next().text == "AUTH: " + text);
}

TEST_CASE("a refused password loses the connection, and the reason names no secret", "[session]") {
  script s({.password = "secret"});
  const auto hello = s.connect();
  s.answer(reply_kind::error, "WRONGPASS invalid username-password pair");
  const auto drop = s.next();
  CHECK(drop.what == kind::drop);
  CHECK(drop.text == "AUTH: WRONGPASS invalid username-password pair");
  CHECK(drop.text.find("secret") == std::string::npos);
  CHECK_FALSE(s.session.is_ready());
}

TEST_CASE("a server that is still loading is tried again later", "[session]") {
  script s;
  s.connect();
  s.answer(reply_kind::error, "LOADING Redis is loading the dataset in memory");
  CHECK(s.next().text.find("LOADING") != std::string::npos);
  CHECK(s.next_kind() == kind::wait);
  s.now = s.session.wake_at();
  CHECK(s.next_kind() == kind::connect);
}

TEST_CASE("what an ACL or an old server denies of the introduction does not matter", "[session]") {
  script s({.client_name = "app"});
  const auto hello = s.connect();
  for (std::size_t i = 0; i < hello.replies; ++i) s.answer(reply_kind::error, "NOPERM this user has no permissions");
  CHECK(s.next_kind() == kind::open);
  CHECK(s.session.client_id() == 0);
}

TEST_CASE("the end of a connection that was given up is waited for, and brought about in the end", "[session]") {
  script s({.command_timeout = 2s});
  const auto greet_as = [&](std::int64_t id) {
    const auto hello = s.next();
    REQUIRE(hello.what == kind::send);
    for (std::size_t i = 0; i < hello.replies; ++i) s.answer(reply_kind::integer, {}, id);
  };
  const auto reconnect = [&](const std::string& left_behind) {
    s.session.disconnected("gone", s.now);
    s.session.left_behind(left_behind);
    s.next();
    s.now = s.session.wake_at();
    REQUIRE(s.next_kind() == kind::connect);
    s.session.connected(s.now);
  };
  s.session.start();
  REQUIRE(s.next_kind() == kind::connect);
  s.session.connected(s.now);
  greet_as(42);
  REQUIRE(s.next_kind() == kind::open);
  reconnect("127.0.0.1:50123");
  reconnect("127.0.0.1:50124");  // lost before it has greeted
  greet_as(43);
  const auto ask = s.next();
  CHECK(ask.bytes == "*4\r\n$6\r\nCLIENT\r\n$4\r\nLIST\r\n$2\r\nID\r\n$2\r\n42\r\n");
  CHECK(ask.replies == 1);
  s.answer(reply_kind::string, "id=42 addr=127.0.0.1:50123 laddr=127.0.0.1:6379 fd=8\n");
  // Not again at once: the server has other work.
  CHECK(s.next_kind() == kind::wait);
  CHECK(s.session.wake_at() > s.now);
  CHECK(s.session.wake_at() <= s.now + 100ms);
  s.now = s.session.wake_at();
  const auto again = s.next();
  CHECK(again.bytes == ask.bytes);
  SECTION("it ends") { s.answer(reply_kind::string, ""); }
  SECTION("it is somebody else's") { s.answer(reply_kind::string, "id=42 addr=127.0.0.1:501234 laddr=\n"); }
  SECTION("the server does not tell") { s.answer(reply_kind::error, "NOPERM no permissions"); }
  SECTION("it does not end by itself") {
    s.now += 1s;
    s.answer(reply_kind::string, "id=42 addr=127.0.0.1:50123 laddr=127.0.0.1:6379 fd=8\n");
    s.now = s.session.wake_at();
    const auto end = s.next();
    CHECK(end.bytes.find("KILL\r\n$2\r\nID\r\n$2\r\n42\r\n$4\r\nADDR\r\n$15\r\n127.0.0.1:50123\r\n") !=
          std::string::npos);
    s.answer(reply_kind::integer, {}, 1);
  }
  CHECK(s.next_kind() == kind::open);
  reconnect("");  // a unix socket's
  greet_as(44);
  CHECK(s.next_kind() == kind::open);
}

TEST_CASE("attempts to connect back off, and begin anew after a success", "[session]") {
  script s;
  s.session.start();
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 6; ++i) {
    CHECK(s.next_kind() == kind::connect);
    s.session.disconnected("refused", s.now);
    CHECK(s.next_kind() == kind::wait);
    waits.push_back(s.session.wake_at() - s.now);
    s.now = s.session.wake_at();
  }
  for (std::size_t i = 1; i < waits.size(); ++i) CHECK(waits[i] >= waits[i - 1]);
  CHECK(waits.front() <= 100ms);
  CHECK(waits.back() <= 1s);
  CHECK(waits.back() > 400ms);
  CHECK(s.next_kind() == kind::connect);
  s.session.connected(s.now);
  const auto hello = s.next();
  for (std::size_t i = 0; i < hello.replies; ++i) s.answer(reply_kind::status, "OK");
  CHECK(s.next_kind() == kind::open);
  s.session.disconnected("gone", s.now);
  CHECK(s.next_kind() == kind::wait);
  CHECK(s.session.wake_at() - s.now <= 100ms);
}

TEST_CASE("a connection that does not come about is given up at its deadline", "[session]") {
  script s({.connect_timeout = 3s});
  s.session.start();
  CHECK(s.next_kind() == kind::connect);
  CHECK(s.session.wake_at() == s.now + 3s);
  s.now += 3s - 1ns;
  CHECK(s.next_kind() == kind::wait);
  s.now += 1ns;
  const auto drop = s.next();
  CHECK(drop.what == kind::drop);
  CHECK(drop.text == "no connection within 3000 ms");
}

TEST_CASE("a greeting that is not answered is given up at its deadline", "[session]") {
  script s({.command_timeout = 2s});
  s.connect();
  s.now += 2s;
  CHECK(s.next_kind() == kind::drop);
}

TEST_CASE("replies that stop coming lose the connection, those that come keep it", "[session]") {
  script s({.command_timeout = 2s});
  s.become_ready();
  s.session.sent(s.now);
  s.now += 1999ms;
  s.session.heard(s.now);
  s.now += 1999ms;
  CHECK(s.next_kind() == kind::wait);
  s.now += 1ms;
  CHECK(s.next_kind() == kind::drop);
  CHECK(s.session.lost_because() == "no reply within 2000 ms");
}

TEST_CASE("one that goes on sending finds out all the same that replies do not come", "[session]") {
  script s({.command_timeout = 2s, .health_check = 500ms});
  s.become_ready();
  for (int i = 0; i < 20; ++i) {
    s.session.sent(s.now);
    CHECK(s.next_kind() == kind::wait);
    s.now += 100ms;
  }
  CHECK(s.next_kind() == kind::drop);
  CHECK(s.session.lost_because() == "no reply within 2000 ms");
}

TEST_CASE("a usual command behind a blocking one waits as long as that may take", "[session]") {
  script s({.command_timeout = 2s, .health_check = 0s});
  s.become_ready();
  s.session.sent(s.now, 10s);
  s.session.sent(s.now);
  s.now += 12s - 1ns;
  CHECK(s.next_kind() == kind::wait);
  s.session.heard(s.now);
  s.session.settled();
  s.session.sent(s.now);
  s.now += 2s;
  CHECK(s.next_kind() == kind::drop);
}

TEST_CASE("a blocking command has its own time beside the usual", "[session]") {
  script s({.command_timeout = 2s, .health_check = 0s});
  s.become_ready();
  s.session.sent(s.now, 10s);
  s.now += 12s - 1ns;
  CHECK(s.next_kind() == kind::wait);
  s.now += 1ns;
  CHECK(s.next_kind() == kind::drop);
}

TEST_CASE("a silent connection is asked whether the server is there", "[session]") {
  script s({.command_timeout = 2s, .health_check = 5s});
  s.become_ready();
  s.now = s.session.wake_at();
  const auto ping = s.next();
  CHECK(ping.what == kind::send);
  CHECK(ping.bytes == "*1\r\n$4\r\nPING\r\n");
  CHECK(ping.replies == 1);
  SECTION("it is") {
    s.answer(reply_kind::status, "PONG");
    CHECK(s.next_kind() == kind::wait);
    CHECK(s.session.wake_at() == s.now + 5s);
  }
  SECTION("it is not") {
    s.now += 2s;
    CHECK(s.next_kind() == kind::drop);
  }
}

TEST_CASE("an idle session rests when asked to, until a command is wanted", "[session]") {
  script s({.health_check = 0s, .idle_timeout = 1min});
  s.become_ready();
  s.session.sent(s.now);
  s.session.settled();
  s.now += 1min;
  const auto drop = s.next();
  CHECK(drop.what == kind::drop);
  CHECK(drop.text == "idle");
  CHECK(s.next_kind() == kind::wait);
  CHECK(s.session.wake_at() == session::time_point::max());
  s.session.wanted();
  CHECK(s.next_kind() == kind::connect);
}

TEST_CASE("a session that is woken counts as resting until it is ready, or has failed to", "[session]") {
  script s({.health_check = 0s, .idle_timeout = 1min});
  s.become_ready();
  CHECK_FALSE(s.session.rests());
  s.now += 1min;
  REQUIRE(s.next_kind() == kind::drop);
  CHECK(s.session.rests());
  s.session.wanted();
  REQUIRE(s.next_kind() == kind::connect);
  CHECK(s.session.rests());
  SECTION("ready") {
    s.session.connected(s.now);
    const auto hello = s.next();
    CHECK(s.session.rests());
    for (std::size_t i = 0; i < hello.replies; ++i) s.answer(reply_kind::status, "OK");
    REQUIRE(s.next_kind() == kind::open);
  }
  SECTION("failed") {
    s.session.disconnected("refused", s.now);
    CHECK_FALSE(s.session.rests());
    CHECK(s.next_kind() == kind::wait);
    s.now = s.session.wake_at();
    REQUIRE(s.next_kind() == kind::connect);
  }
  CHECK_FALSE(s.session.rests());
}

TEST_CASE("a session that is only started does not count as resting", "[session]") {
  script s({.idle_timeout = 1min});
  s.session.start();
  s.session.wanted();
  REQUIRE(s.next_kind() == kind::connect);
  CHECK_FALSE(s.session.rests());
}

TEST_CASE("a stopped session drops what it has and never connects again", "[session]") {
  script s;
  SECTION("ready") {
    s.become_ready();
    s.session.stop();
    CHECK(s.next_kind() == kind::drop);
  }
  SECTION("waiting to reconnect") {
    s.become_ready();
    s.session.disconnected("gone", s.now);
    s.next();
    s.session.stop();
  }
  SECTION("not begun") { s.session.stop(); }
  CHECK(s.next_kind() == kind::end);
  s.session.start();
  s.now += 1h;
  CHECK(s.next_kind() == kind::wait);
  CHECK(s.session.is_stopped());
}
