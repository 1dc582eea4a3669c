#include <bus/headers.hpp>

#include <map>

#include "tests/catch.hpp"

using actorbus::headers;

namespace {

struct pose {
  double x, y, theta;
};

/// The shape of a publish: braces for the value, braces for the headers.
std::size_t publish(const pose&, const headers& with = {}) { return with.size(); }
std::size_t publish(pose&&, headers with = {}) { return with.size(); }

std::string keys(const headers& from) {
  std::string result;
  for (const auto& [key, value] : from) result += key;
  return result;
}

}  // namespace

TEST_CASE("headers are written in braces as an argument, none, one or two", "[headers]") {
  CHECK(publish({1, 2, 3}) == 0);
  CHECK(publish({1, 2, 3}, {}) == 0);
  CHECK(publish({1, 2, 3}, {{"source", "odometry"}}) == 1);
  CHECK(publish({1, 2, 3}, {{"source", "odometry"}, {"frame", "map"}}) == 2);
  CHECK(publish({1, 2, 3}, {{"a", "1"}, {"b", "2"}, {"c", "3"}}) == 3);
  const pose value{1, 2, 3};
  CHECK(publish(value, {{"source", std::string("odometry")}}) == 1);
}

TEST_CASE("headers find a text by its key", "[headers]") {
  const headers some{{"source", "odometry"}, {"frame", "map"}};
  CHECK(some.contains("source"));
  CHECK_FALSE(some.contains("sourc"));
  REQUIRE(some.find("frame"));
  CHECK(*some.find("frame") == "map");
  CHECK(some.find("other") == nullptr);
  CHECK(some.get("frame", "none") == "map");
  CHECK(some.get("other", "none") == "none");
  CHECK(some.get("other").empty());
}

TEST_CASE("headers keep the order in which keys were set, each once", "[headers]") {
  headers some{{"b", "1"}, {"a", "2"}, {"b", "3"}};
  CHECK(some.size() == 2);
  CHECK(some.get("b") == "3");
  some.set("c", "4");
  some.set("a", "5");
  CHECK(keys(some) == "bac");
  CHECK(some.get("a") == "5");
}

TEST_CASE("headers forget an erased key", "[headers]") {
  headers some{{"a", "1"}, {"b", "2"}};
  CHECK(some.erase("a"));
  CHECK_FALSE(some.erase("a"));
  CHECK(keys(some) == "b");
  CHECK(some.erase("b"));
  CHECK(some.empty());
}

TEST_CASE("headers are made from any range of pairs", "[headers]") {
  const std::map<std::string, std::string> from{{"x", "1"}, {"y", "2"}};
  const headers some(from.begin(), from.end());
  CHECK(keys(some) == "xy");
  CHECK(headers(some.begin(), some.end()) == some);
}

TEST_CASE("headers are equal when keys and texts are, in whatever order", "[headers]") {
  CHECK(headers{} == headers{});
  CHECK(headers{{"a", "1"}, {"b", "2"}} == headers{{"b", "2"}, {"a", "1"}});
  CHECK(headers{{"a", "1"}} != headers{{"a", "2"}});
  CHECK(headers{{"a", "1"}} != headers{{"b", "1"}});
  CHECK(headers{{"a", "1"}} != headers{});
}

TEST_CASE("empty headers are as small as an empty vector and made without throwing", "[headers]") {
  STATIC_REQUIRE(sizeof(headers) == sizeof(std::vector<int>));
  STATIC_REQUIRE(std::is_nothrow_default_constructible_v<headers>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<headers>);
}
