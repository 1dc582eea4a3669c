#include <bridges/redis/stream_id.hpp>

#include <random>

#include "tests/catch.hpp"

using actorbus::redis::stream_id;
using namespace std::chrono_literals;
using clock_time = std::chrono::system_clock::time_point;

TEST_CASE("a stream id is read from milliseconds and sequence, or from milliseconds alone", "[stream_id]") {
  CHECK(stream_id::parse("1526919030474-55") == stream_id{1526919030474, 55});
  CHECK(stream_id::parse("0-0") == stream_id{0, 0});
  CHECK(stream_id::parse("7") == stream_id{7, 0});
  CHECK(stream_id::parse("007-010") == stream_id{7, 10});
  CHECK(stream_id::parse("18446744073709551615-18446744073709551615") == stream_id::max());
}

TEST_CASE("anything else is no stream id", "[stream_id]") {
  for (const std::string_view text :
       {"", "-", "1-", "-1", "1-2-3", "a-1", "1-a", " 1-1", "1-1 ", "+1-1", "1-+1", "0x1-1", "1.0-1", "$", ">", "(1-1",
        "18446744073709551616-0", "0-18446744073709551616", "99999999999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(stream_id::parse(text));
  }
  CHECK_FALSE(stream_id::parse(std::string_view("1-1\0", 4)));
}

TEST_CASE("a stream id survives being written, and ids order as the server orders them", "[stream_id]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 1000; ++round) {
    const stream_id a{random() >> random() % 64, random() >> random() % 64};
    const stream_id b{random() % 2 == 0 ? a.milliseconds : random(), random()};
    CHECK(stream_id::parse(a.to_string()) == a);
    CHECK((a < b) == (a.milliseconds != b.milliseconds ? a.milliseconds < b.milliseconds : a.sequence < b.sequence));
    CHECK(a.next().previous() == a);
    CHECK(a < a.next());
  }
  CHECK(stream_id::max().to_string() == "18446744073709551615-18446744073709551615");
}

TEST_CASE("the next and the previous id carry over, and stop at the ends", "[stream_id]") {
  const auto most = stream_id::max().sequence;
  CHECK(stream_id{5, 1}.next() == stream_id{5, 2});
  CHECK(stream_id{5, most}.next() == stream_id{6, 0});
  CHECK(stream_id::max().next() == stream_id::max());
  CHECK(stream_id{5, 1}.previous() == stream_id{5, 0});
  CHECK(stream_id{5, 0}.previous() == stream_id{4, most});
  CHECK(stream_id::min().previous() == stream_id::min());
}

TEST_CASE("a stream id tells its time, and a time where its entries begin", "[stream_id]") {
  CHECK(stream_id{1500, 7}.time() == clock_time(1500ms));
  CHECK(stream_id::at(clock_time(1500ms + 999us)) == stream_id{1500, 0});
  CHECK(stream_id::at(clock_time(-1ms)) == stream_id{0, 0});
  CHECK(stream_id::at(clock_time::min()) == stream_id{0, 0});
  CHECK(stream_id::max().time() == clock_time::max());
  CHECK(stream_id{std::uint64_t{1} << 63, 0}.time() == clock_time::max());
  CHECK(stream_id::at(clock_time::max()).time() <= clock_time::max());
}
