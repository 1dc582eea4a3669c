#include <bus/type_name.hpp>

#include <string>
#include <utility>

#include "tests/catch.hpp"

using actorbus::type_name;

namespace robot {
struct pose {};
template <class T>
struct stamped {};
}  // namespace robot

TEST_CASE("a type is named as one writes it", "[type_name]") {
  CHECK(type_name(typeid(int)) == "int");
  CHECK(type_name(typeid(robot::pose)) == "robot::pose");
  CHECK(type_name(typeid(robot::stamped<robot::pose>)) == "robot::stamped<robot::pose>");
  CHECK(type_name(std::type_index(typeid(robot::pose))) == "robot::pose");
}

TEST_CASE("a string is named std::string wherever it appears", "[type_name]") {
  CHECK(type_name(typeid(std::string)) == "std::string");
  CHECK(type_name(typeid(std::pair<std::string, std::string>)) == "std::pair<std::string, std::string>");
}
