#include <bridges/redis/entry_runs.hpp>

#include <map>

#include "tests/redis/bridge/process.hpp"
#include "tests/redis/client.hpp"

using namespace actorbus;
using namespace actorbus::testing;

TEST_CASE("entries with the same names tell them once, and others begin a run", "[redis][entry_runs]") {
  std::string to, expected;
  redis::entry_runs runs(to);
  using fields = std::vector<field_view>;
  runs.add(fields{{"a", "1"}, {"b", "2"}});
  runs.add(fields{{"a", "3"}, {"b", "4"}});
  runs.add(fields{{"b", "5"}});
  runs.add(fields{{"b", "6"}, {"a", ""}});
  redis::command_writer words(expected);
  for (const auto* each : {"2", "2", "a", "b", "1", "2", "3", "4", "1", "1", "b", "5", "2", "1", "b", "a", "6", ""})
    words.word(each);
  CHECK(runs.end() == 18);
  CHECK(to == expected);
}

TEST_CASE("with de-duplication maps of any names go out as they are, in one burst", "[redis][stream][entry_runs]") {
  const std::uint64_t most = GENERATE(std::uint64_t{0}, std::uint64_t{100});
  const redis_server server;
  process a(server);
  a.redis.stream<std::map<std::string, std::string>>("x", {.maxlen = most,
                                                           .direction = redis::direction::out,
                                                           .format = redis::format::fields,
                                                           .overflow = overflow::block,
                                                           .exact = true,
                                                           .deduplicate = true});
  auto topic = a.bus.topic<std::map<std::string, std::string>>("x");
  std::vector<std::vector<std::string>> sent;
  // Runs of one and of many, with one field, two, three (which the script adds in a loop of its own) and five.
  for (const std::size_t run : {1U, 2U, 30U, 1U, 3U}) {
    for (const std::size_t names : {3U, 1U, 5U, 3U, 2U}) {
      for (std::size_t i = 0; i < run; ++i) {
        std::map<std::string, std::string> one;
        for (std::size_t at = 0; at < names; ++at)
          one["field" + std::to_string(run + at)] = std::to_string(sent.size()) + "." + std::to_string(at);
        auto& words = sent.emplace_back();
        for (const auto& [name, value] : one) words.insert(words.end(), {name, value});
        topic.publish(one);
      }
    }
  }
  REQUIRE(a.redis.flush(patience));
  redis_client client(server);
  const auto there = client.run("XRANGE", "t:x", "-", "+");
  const std::size_t kept = most == 0 ? sent.size() : most;
  REQUIRE(there.size() == kept);
  for (std::size_t i = 0; i < kept; ++i) CHECK(there[i][1].texts() == sent[sent.size() - kept + i]);
}
