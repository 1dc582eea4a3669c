#include <bus/key_function.hpp>

#include <memory>
#include <string>

#include "tests/catch.hpp"

using namespace actorbus;

namespace {

struct order {
  int customer;
  std::string what;
};

metadata metadata_with(const headers& with) { return {"orders", 1, {}, with, 0, 0}; }

const headers none;

}  // namespace

TEST_CASE("a key that was not given is empty", "[key_function]") {
  const key_function key;
  CHECK_FALSE(static_cast<bool>(key));
  CHECK_FALSE(key.value_type().has_value());
}

TEST_CASE("a key may read the value", "[key_function]") {
  const key_function key = [](const order& o) { return o.customer; };
  REQUIRE(key);
  CHECK(key.value_type() == typeid(order));
  const order a{7, "book"}, b{7, "pen"}, c{8, "book"};
  CHECK(key(metadata_with(none), &a) == key(metadata_with(none), &b));
  CHECK(key(metadata_with(none), &a) != key(metadata_with(none), &c));
}

TEST_CASE("a key may read the metadata and then does not touch the payload", "[key_function]") {
  const key_function key = [](const metadata& m) { return std::string(m.headers.get("customer")); };
  REQUIRE(key);
  CHECK_FALSE(key.value_type().has_value());
  const headers ann{{"customer", "ann"}}, bob{{"customer", "bob"}};
  CHECK(key(metadata_with(ann), nullptr) == key(metadata_with(headers{{"customer", "ann"}}), nullptr));
  CHECK(key(metadata_with(ann), nullptr) != key(metadata_with(bob), nullptr));
}

TEST_CASE("a key may be anything with a std::hash", "[key_function]") {
  const key_function text = [](const order& o) -> const std::string& { return o.what; };
  const order a{1, "same"}, b{2, "same"};
  CHECK(text(metadata_with(none), &a) == text(metadata_with(none), &b));
  enum class colour { red, green };
  const key_function named = [](const metadata&) { return colour::green; };
  CHECK(named(metadata_with(none), nullptr) == std::hash<colour>{}(colour::green));
}

TEST_CASE("a key takes its value by const reference or by value", "[key_function]") {
  const key_function by_value = [](int v) { return v; };
  CHECK(by_value.value_type() == typeid(int));
  const int four = 4;
  CHECK(by_value(metadata_with(none), &four) == std::hash<int>{}(4));
}

TEST_CASE("copies of a key agree", "[key_function]") {
  auto offset = std::make_shared<int>(10);
  const key_function first = [offset](const int& v) { return v + *offset; };
  const key_function second = first;
  const int value = 3;
  CHECK(first(metadata_with(none), &value) == second(metadata_with(none), &value));
}
