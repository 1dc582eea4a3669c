#include <bus/registry.hpp>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <bus/inbox_core.hpp>
#include <bus/topic_core.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"

using namespace actorbus;
using testing::error_of;
using testing::manual_bus;

namespace {

/// A registry beside the bus's own, so that nothing but the test touches it.
struct alone {
  template <class T>
  std::shared_ptr<core::topic_core> open(const std::string& name, const topic_options* options = nullptr) {
    return topics.open(name, core::payload_type_of<T>(), options, [&](std::uint64_t first) {
      ++made;
      return core::kind_of<T>().make(m.bus.core(), name, first);
    });
  }
  std::shared_ptr<core::inbox_core> reader_of(const std::string& pattern) {
    return std::make_shared<core::inbox_core>(
        m.bus.core(), core::reader::settings{"", pattern, replay::live(), overflow::drop_oldest, 0, {}});
  }
  static std::vector<std::string> covered_by(const core::reader& who) {
    std::vector<std::string> names;
    for (const auto& each : who.cursors()) names.push_back(each->topic().name());
    std::sort(names.begin(), names.end());
    return names;
  }

  manual_bus m;
  core::registry topics;
  int made = 0;
};

}  // namespace

TEST_CASE("a topic is made once and then found", "[registry]") {
  alone r;
  const auto first = r.open<int>("a.b");
  CHECK(r.open<int>("a.b") == first);
  CHECK(r.topics.find("a.b") == first);
  CHECK(r.topics.find("a.c") == nullptr);
  CHECK(r.made == 1);
  CHECK(r.topics.size() == 1);
}

TEST_CASE("a bad name is refused before anything happens", "[registry]") {
  alone r;
  CHECK(error_of([&] { r.open<int>("a..b"); }) == errc::invalid_topic);
  CHECK(error_of([&] { r.open<int>("a.*"); }) == errc::invalid_topic);
  CHECK(r.made == 0);
}

TEST_CASE("a name has one type, and the error names both", "[registry]") {
  alone r;
  r.open<int>("a");
  try {
    r.open<double>("a");
    FAIL("opened");
  } catch (const bus_error& error) {
    CHECK(error.code() == errc::type_mismatch);
    const std::string text = error.what();
    CHECK(text.find("int") != std::string::npos);
    CHECK(text.find("double") != std::string::npos);
  }
}

TEST_CASE("explicit options configure a topic once", "[registry]") {
  alone r;
  const auto topic = r.open<int>("a");
  const topic_options small{.capacity = 16}, large{.capacity = 32};
  r.open<int>("a", &small);
  CHECK(topic->options().capacity == 16);
  r.open<int>("a", &small);
  CHECK(error_of([&] { r.open<int>("a", &large); }) == errc::options_mismatch);
  CHECK(topic->options().capacity == 16);
}

TEST_CASE("options that make no sense leave no topic behind", "[registry]") {
  alone r;
  const topic_options none{.capacity = 0};
  CHECK(error_of([&] { r.open<int>("a", &none); }) == errc::invalid_argument);
  CHECK(r.topics.find("a") == nullptr);
}

TEST_CASE("a pattern covers topics that are there and those to come, of its type", "[registry]") {
  alone r;
  r.open<int>("a.1");
  r.open<double>("a.2");
  const auto who = r.reader_of("a.*");
  r.topics.cover(who, typeid(int));
  r.open<int>("a.3");
  r.open<std::string>("a.4");
  r.open<int>("b.1");
  CHECK(alone::covered_by(*who) == std::vector<std::string>{"a.1", "a.3"});
  CHECK(r.topics.skipped(*who) == 2);
  who->close();
}

TEST_CASE("a pattern without a type covers topics of every type", "[registry]") {
  alone r;
  const auto who = r.reader_of("a.>");
  r.topics.cover(who, std::nullopt);
  r.open<int>("a.1");
  r.open<double>("a.x.y");
  CHECK(alone::covered_by(*who) == std::vector<std::string>{"a.1", "a.x.y"});
  CHECK(r.topics.skipped(*who) == 0);
  who->close();
}

TEST_CASE("what is no longer covered gets no further topics", "[registry]") {
  alone r;
  const auto who = r.reader_of("a.*");
  r.topics.cover(who, typeid(int));
  r.topics.uncover(*who);
  r.topics.uncover(*who);
  r.open<int>("a.1");
  CHECK(alone::covered_by(*who).empty());
}

TEST_CASE("a topic that something keeps is not retired", "[registry]") {
  alone r;
  const auto topic = r.open<int>("a");
  CHECK_FALSE(r.topics.retire(*topic));
  CHECK(r.topics.find("a") == topic);
}

TEST_CASE("sequences never run backwards under a name", "[registry]") {
  manual_bus m({.reclaim_after = std::chrono::seconds{1}});
  {
    auto t = m.bus.topic<int>("short.lived");
    for (int i = 0; i < 10; ++i) t.publish(i);
    m.run();
  }
  m.advance(std::chrono::seconds{10});
  REQUIRE_FALSE(m.topic("short.lived"));
  auto again = m.bus.topic<int>("short.lived");
  std::uint64_t sequence = 0;
  auto sub = again.subscribe([&](const event<int>& e) { sequence = e.sequence(); });
  m.run();
  again.publish(1);
  m.run();
  CHECK(sequence > 10);
}

TEST_CASE("a closed registry makes no topic", "[registry]") {
  alone r;
  r.open<int>("a");
  r.topics.close();
  CHECK(error_of([&] { r.open<int>("b"); }) == errc::closed);
  CHECK(r.made == 1);
}

TEST_CASE("many threads that open one name get one topic", "[registry]") {
  manual_bus m;
  core::registry topics;
  std::vector<std::shared_ptr<core::topic_core>> found(8);
  std::vector<std::thread> threads;
  for (auto& mine : found) {
    threads.emplace_back([&] {
      mine = topics.open("shared", core::payload_type_of<int>(), nullptr,
                         [&](std::uint64_t first) { return core::kind_of<int>().make(m.bus.core(), "shared", first); });
    });
  }
  for (auto& each : threads) each.join();
  CHECK(std::all_of(found.begin(), found.end(), [&](const auto& each) { return each == found.front(); }));
  CHECK(topics.size() == 1);
}
