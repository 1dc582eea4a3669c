// Replies, as hiredis' reader takes them apart into an arena.
#include <bridges/redis/reply.hpp>

#include <cstddef>
#include <fstream>
#include <string>

#include <bridges/redis/command.hpp>

#include "tests/catch.hpp"

using namespace actorbus::redis;

TEST_CASE("replies of every kind are read", "[reply]") {
  reply_reader r;
  r.feed("+OK\r\n-ERR no such thing\r\n:-7\r\n$5\r\na\0b\r\n\r\n$-1\r\n*-1\r\n*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$0\r\n\r\n");
  r.reset();
  r.feed(std::string_view(
      "+OK\r\n-ERR no such thing\r\n:-7\r\n$5\r\na\0b\r\n\r\n$-1\r\n*-1\r\n*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$0\r\n\r\n",
      76));
  const reply* one = r.next();
  REQUIRE(one != nullptr);
  CHECK(one->kind == reply_kind::status);
  CHECK(one->text == "OK");
  one = r.next();
  CHECK(one->is_error());
  CHECK(one->error_code() == "ERR");
  CHECK(one->text == "ERR no such thing");
  one = r.next();
  CHECK(one->integer == -7);
  one = r.next();
  CHECK(one->kind == reply_kind::string);
  CHECK(one->text == std::string_view("a\0b\r\n", 5));
  CHECK(r.next()->kind == reply_kind::nil);
  CHECK(r.next()->kind == reply_kind::nil);
  one = r.next();
  REQUIRE(one->elements.size() == 3);
  CHECK(one->elements[0].integer == 1);
  CHECK(one->elements[1].elements[0].text == "x");
  CHECK(one->elements[2].text.empty());
  CHECK(r.next() == nullptr);
  CHECK(r.error().empty());
}

TEST_CASE("a reply may come a byte at a time", "[reply]") {
  reply_reader r;
  const std::string bytes = "*2\r\n$3\r\nabc\r\n*2\r\n:12\r\n+fine\r\n";
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    r.feed(bytes.substr(i, 1));
    REQUIRE(r.next() == nullptr);
  }
  r.feed(bytes.substr(bytes.size() - 1));
  const reply* one = r.next();
  REQUIRE(one != nullptr);
  CHECK(one->elements[0].text == "abc");
  CHECK(one->elements[1].elements[1].text == "fine");
}

TEST_CASE("garbage is an error, and nothing is read behind it", "[reply]") {
  for (const std::string bytes :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "*1000000000\r\n", "$-5\r\n", ":x\r\n", "*-7\r\n"}) {
    reply_reader r;
    r.feed(bytes);
    CHECK(r.next() == nullptr);
    CHECK_FALSE(r.error().empty());
    r.feed("+OK\r\n");
    CHECK(r.next() == nullptr);
    r.reset();
    r.feed("+OK\r\n");
    CHECK(r.next() != nullptr);
  }
}

TEST_CASE("memory taken over outlives the next replies", "[reply]") {
  reply_reader r;
  r.feed("*2\r\n$5\r\nfirst\r\n$6\r\nsecond\r\n+other\r\n");
  const reply* one = r.next();
  const auto kept = r.take_memory();
  CHECK(r.next()->text == "other");
  CHECK(one->elements[0].text == "first");
  CHECK(one->elements[1].text == "second");
}

TEST_CASE("a reply of many megabytes is read, and its memory given back", "[reply]") {
  reply_reader r;
  const std::string large(std::size_t{20} * 1024 * 1024, 'x');
  r.feed("*2\r\n$" + std::to_string(large.size()) + "\r\n");
  r.feed(large);
  r.feed("\r\n$1\r\ny\r\n+OK\r\n");
  const reply* one = r.next();
  REQUIRE(one != nullptr);
  CHECK(one->elements[0].text.size() == large.size());
  CHECK(one->elements[1].text == "y");
  CHECK(r.next()->text == "OK");
}

TEST_CASE("commands are arrays of bulk strings, binary and empty words included", "[reply]") {
  CHECK(command({"SET", std::string_view("k\0", 2), ""}) ==
        std::string("*3\r\n$3\r\nSET\r\n$2\r\nk\0\r\n$0\r\n\r\n", 27));
  std::string to;
  command_writer(to).begin(2).word("N").number(-12);
  CHECK(to == "*2\r\n$1\r\nN\r\n$3\r\n-12\r\n");
}

namespace {

/// Memory of this process that is really there.
std::size_t resident() {
  std::ifstream from("/proc/self/statm");
  std::size_t all = 0, here = 0;
  from >> all >> here;
  return here * 4096;
}

}  // namespace

TEST_CASE("an array takes memory as its elements come, whatever number of them it claims", "[reply]") {
  reply_reader r;
  const auto before = resident();
  r.feed("*16777216\r\n:1\r\n");
  CHECK(r.next() == nullptr);
  CHECK(r.error().empty());
  CHECK(resident() < before + std::size_t{256} * 1024 * 1024);
  r.reset();
  r.feed("*16777217\r\n:1\r\n");
  CHECK(r.next() == nullptr);
  CHECK_FALSE(r.error().empty());
}
