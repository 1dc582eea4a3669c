#include <bus/pattern_index.hpp>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using actorbus::matches;
using actorbus::core::pattern_index;

namespace {

std::multiset<int> found(const pattern_index<int>& index, std::string_view topic) {
  std::multiset<int> result;
  index.for_each_match(topic, [&](int value) { result.insert(value); });
  return result;
}

class random_names {
 public:
  explicit random_names(unsigned seed) : engine_(seed) {}

  std::string topic() { return dotted(1 + pick(4), 0); }

  std::string pattern() {
    std::string result = dotted(1 + pick(4), 1);
    if (pick(4) == 0) result += ".>";
    return pick(40) == 0 ? ">" : result;
  }

  unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(engine_); }

 private:
  std::string dotted(unsigned tokens, unsigned wildcards) {
    static constexpr const char* words[] = {"a", "b", "ab", "*"};
    std::string result = words[pick(3 + wildcards)];
    while (--tokens) result += '.', result += words[pick(3 + wildcards)];
    return result;
  }

  std::mt19937 engine_;
};

}  // namespace

TEST_CASE("an index finds every registration whose pattern covers the topic", "[pattern_index]") {
  pattern_index<int> index;
  index.add("robot.pose", 1);
  index.add("robot.*", 2);
  index.add("robot.>", 3);
  index.add(">", 4);
  index.add("*.pose", 5);
  index.add("robot.pose.*", 6);
  CHECK(index.size() == 6);
  CHECK(found(index, "robot.pose") == std::multiset<int>{1, 2, 3, 4, 5});
  CHECK(found(index, "robot.pose.raw") == std::multiset<int>{3, 4, 6});
  CHECK(found(index, "robot") == std::multiset<int>{4});
  CHECK(found(index, "cat.pose") == std::multiset<int>{4, 5});
  CHECK(found(index, "cat.nose") == std::multiset<int>{4});
}

TEST_CASE("an index gives back exactly one registration at a time", "[pattern_index]") {
  pattern_index<int> index;
  index.add("a.*", 1);
  index.add("a.*", 1);
  index.add("a.*", 2);
  CHECK(index.remove("a.*", 1));
  CHECK(found(index, "a.b") == std::multiset<int>{1, 2});
  CHECK(index.remove("a.*", 1));
  CHECK_FALSE(index.remove("a.*", 1));
  CHECK_FALSE(index.remove("a.b", 2));
  CHECK_FALSE(index.remove("a.>", 2));
  CHECK_FALSE(index.remove("a", 2));
  CHECK(found(index, "a.b") == std::multiset<int>{2});
}

TEST_CASE("an index keeps no node for what was removed", "[pattern_index]") {
  pattern_index<int> index;
  index.add("a.b.c", 1);
  index.add("a.*.c.>", 2);
  index.add("a", 3);
  CHECK(index.nodes() == 6);
  CHECK(index.remove("a.b.c", 1));
  CHECK(index.remove("a.*.c.>", 2));
  CHECK(index.nodes() == 2);
  CHECK(index.remove("a", 3));
  CHECK(index.nodes() == 1);
  CHECK(index.empty());
}

TEST_CASE("the cost of a match does not grow with the number of patterns that do not match", "[pattern_index]") {
  pattern_index<int> index;
  index.add("robot.*", 1);
  index.add("robot.7.>", 2);
  const auto cost = [&] { return index.for_each_match("robot.7.pose", [](int) {}); };
  const std::size_t alone = cost();
  for (int other = 0; other < 10'000; ++other) {
    const std::string name = std::to_string(other);
    index.add("robot.x" + name + ".*", other);
    index.add("cat" + name + ".>", other);
    index.add("robot.7.pose." + name, other);
  }
  CHECK(cost() <= alone + 1);  // robot.7.pose is a node now
  CHECK(found(index, "robot.7.pose") == std::multiset<int>{2});
}

TEST_CASE("an index takes values that only move", "[pattern_index]") {
  pattern_index<std::unique_ptr<int>> index;
  index.add("a.>", std::make_unique<int>(7));
  int seen = 0;
  index.for_each_match("a.b", [&](const std::unique_ptr<int>& value) { seen = *value; });
  CHECK(seen == 7);
}

TEST_CASE("an index agrees with matches for random patterns, added and removed", "[pattern_index]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  random_names random(seed);
  pattern_index<int> index;
  std::vector<std::pair<std::string, int>> registered;
  for (int round = 0; round < 2000; ++round) {
    if (registered.empty() || random.pick(5) < 3) {
      registered.emplace_back(random.pattern(), round);
      index.add(registered.back().first, round);
    } else {
      const auto victim = registered.begin() + random.pick(static_cast<unsigned>(registered.size()));
      REQUIRE(index.remove(victim->first, victim->second));
      registered.erase(victim);
    }
    const std::string topic = random.topic();
    std::multiset<int> expected;
    for (const auto& [pattern, value] : registered) {
      if (matches(pattern, topic)) expected.insert(value);
    }
    INFO("topic " << topic);
    REQUIRE(found(index, topic) == expected);
    REQUIRE(index.size() == registered.size());
  }
  for (const auto& [pattern, value] : registered) REQUIRE(index.remove(pattern, value));
  CHECK(index.nodes() == 1);
}
