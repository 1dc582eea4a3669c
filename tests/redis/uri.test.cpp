#include <bridges/redis/uri.hpp>

#include <random>
#include <vector>

#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/redis/mentions.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using redis::transport;
using redis::uri;

namespace {

std::string why_not(std::string_view text) {
  try {
    uri::parse(text);
  } catch (const bus_error& error) {
    CHECK(error.code() == errc::invalid_argument);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a URI names a host, and port and database where they are not the usual", "[uri]") {
  CHECK(uri::parse("redis://localhost") == uri{.host = "localhost"});
  CHECK(uri::parse("redis://localhost/") == uri{.host = "localhost"});
  CHECK(uri::parse("redis://127.0.0.1:7000/15") == uri{.host = "127.0.0.1", .port = 7000, .database = 15});
  CHECK(uri::parse("redis://localhost?db=3") == uri{.host = "localhost", .database = 3});
  CHECK(uri::parse("redis://[::1]") == uri{.host = "::1"});
  CHECK(uri::parse("redis://[fe80::1%25eth0]:7000/1").port == 7000);
  CHECK(uri::parse("rediss://secure:6380/2") ==
        uri{.transport = transport::tls, .host = "secure", .port = 6380, .database = 2});
}

TEST_CASE("a URI names a user and a password, with escapes", "[uri]") {
  CHECK(uri::parse("redis://ann:secret@h") == uri{.host = "h", .user = "ann", .password = "secret"});
  CHECK(uri::parse("redis://:secret@h") == uri{.host = "h", .password = "secret"});
  CHECK(uri::parse("redis://ann@h") == uri{.host = "h", .user = "ann"});
  CHECK(uri::parse("redis://a%3an:p%40%2F%3f%23%25@h").user == "a:n");
  CHECK(uri::parse("redis://a%3an:p%40%2F%3f%23%25@h").password == "p@/?#%");
  CHECK(uri::parse("redis://ann:a:b@h").password == "a:b");
  CHECK(uri::parse("redis://ann:a@b@h").password == "a@b");
}

TEST_CASE("a URI names a unix socket", "[uri]") {
  CHECK(uri::parse("unix:///run/redis.sock") == uri{.transport = transport::unix_socket, .path = "/run/redis.sock"});
  CHECK(uri::parse("unix:///run/r%20s.sock?db=4") ==
        uri{.transport = transport::unix_socket, .path = "/run/r s.sock", .database = 4});
  CHECK(uri::parse("unix://ann:secret@/run/a@b").path == "/run/a@b");
  CHECK(uri::parse("unix://ann:secret@/run/a@b").user == "ann");
}

TEST_CASE("a URI that is wrong says which part, and what would be right", "[uri]") {
  const auto wrong = [](const char* text, const char* part) {
    INFO(text);
    CHECK(mentions(why_not(text), part));
    CHECK(mentions(why_not(text), "redis://[user[:password]@]host[:port][/db]"));
  };
  wrong("", "no `://`");
  wrong("localhost:6379", "no `://`");
  wrong("http://localhost", "none of `redis`");
  wrong("REDIS://localhost", "none of `redis`");
  wrong("redis://", "no host");
  wrong("redis://:6379", "no host");
  wrong("redis://h:", "port");
  wrong("redis://h:0", "port");
  wrong("redis://h:65536", "port");
  wrong("redis://h:6379x", "port");
  wrong("redis://h:-1", "port");
  wrong("redis://[::1", "no `]`");
  wrong("redis://[::1]6379", "between");
  wrong("redis://[h]", "IPv6");
  wrong("redis://h/x", "database");
  wrong("redis://h/-1", "database");
  wrong("redis://h/2147483648", "database");
  wrong("redis://h/1/2", "database");
  wrong("redis://h?db=", "database");
  wrong("redis://h?timeout=3", "parameter");
  wrong("redis://h#1", "%23");
  wrong("redis://u%4:p@h", "user");
  wrong("redis://u:%zz@h", "password");
  wrong("redis://u:p%00@h", "zero byte");
  wrong("unix://run/redis.sock", "path");
  wrong("unix://", "path");
  CHECK(mentions(why_not("unix:///" + std::string(107, 'x')), "107"));
}

TEST_CASE("no error about a URI repeats any of it, wherever a secret may stand", "[uri]") {
  for (const char* text : {"redis://:hunter2", "redis://:hunter2/@h", "redis://ann:hunter2@h:x", "hunter2",
                           "hunter2://h", "redis://h/hunter2", "redis://h?hunter2", "redis://h?password=hunter2",
                           "redis://ann:hunter2#@h", "redis://ann:hunter2%@h", "redis://[hunter2", "redis://[hunter2]",
                           "redis://h:hunter2", "unix://hunter2", "unix://ann:hunter2@x"}) {
    INFO(text);
    const std::string why = why_not(text);
    CHECK_FALSE(why.empty());
    CHECK_FALSE(mentions(why, "hunter2"));
  }
}

TEST_CASE("a URI is described without user and password", "[uri]") {
  CHECK(uri::parse("redis://ann:hunter2@h").describe() == "redis://h:6379/0");
  CHECK(uri::parse("rediss://:hunter2@[::1]:1/2").describe() == "rediss://[::1]:1/2");
  CHECK(uri::parse("unix://ann:hunter2@/run/s").describe() == "unix:///run/s");
  CHECK(uri::parse("unix:///run/s?db=5").describe() == "unix:///run/s?db=5");
}

TEST_CASE("a URI of any bytes is taken or refused, never more", "[uri]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::vector<std::string> parts{"redis://", "unix://", "rediss://", "@", ":", "/", "?db=", "[",
                                       "]",        "%",       "%41",       "h", "1", "#", "&",    "="};
  std::size_t taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = parts[random() % 3];
    for (std::size_t n = random() % 8; n > 0; --n) {
      text += random() % 10 == 0 ? std::string(1, static_cast<char>(random())) : parts[random() % parts.size()];
    }
    const auto why = error_of([&] { uri::parse(text); });
    CHECK((!why || why == errc::invalid_argument));
    taken += why ? 0U : 1U;
  }
  CHECK(taken > 0);
}
