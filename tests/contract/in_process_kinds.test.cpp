#include "tests/contract/in_process_kinds.hpp"

#include <set>
#include <string>

#include "tests/catch.hpp"
#include "tests/contract/delivery_cases.hpp"

using namespace actorbus::contract;

namespace {

std::string declared_by(const delivery_kind& kind) {
  std::string line = kind.name + ':';
  for (const auto& [name, value] : every_feature()) {
    if (kind.can.*value) line += ' ' + std::string(name) + ',';
  }
  return line;
}

}  // namespace

TEST_CASE("each kind of delivery declares its features", "[conformance]") {
  std::vector<std::string> table;
  for (const auto& each : in_process_kinds()) table.push_back(declared_by(each));
  CHECK(table ==
        std::vector<std::string>{
            "pool handlers: groups, retry, blocking, isolation, total order, drains,",
            "pool handlers with history: history, groups, retry, blocking, isolation, total order, drains,",
            "topic handlers: retry, blocking, total order, drains,",
            "topic handlers with history: history, retry, blocking, total order, drains,",
            "own-thread handlers: groups, retry, blocking, isolation, total order, drains,",
            "own-thread handlers with history: history, groups, retry, blocking, isolation, total order, drains,",
            "drained inboxes: blocking, isolation, total order, drains,",
            "drained inboxes with history: history, blocking, isolation, total order, drains,"});
}

TEST_CASE("the feature table names every feature", "[conformance]") {
  features all;
  for (const auto& [name, value] : every_feature()) all.*value = true;
  CHECK(all == features{true, true, true, true, true, true, true, true});
}

TEST_CASE("a case applies to every kind but those that lack a feature it needs", "[conformance]") {
  std::vector<std::string> table;
  for (const delivery_case* what : every_case()) {
    for (const auto& kind : in_process_kinds()) {
      if (kind.can.history) continue;  // differs from the kind without in the two cases that need history
      if (const auto missing = missing_for(*what, kind); !missing.empty()) {
        table.push_back(what->name + ", by " + kind.name + ": " + missing);
      }
    }
  }
  const std::string replayed = publish_then_subscribe.name, fresh = history_for_the_new.name;
  const std::string shared = shared_in_a_group.name, handed_on = group_hands_on.name, cut_off = cut_off_in_between.name;
  CHECK(table == std::vector<std::string>{
                     replayed + ", by pool handlers: history", replayed + ", by topic handlers: history",
                     replayed + ", by own-thread handlers: history", replayed + ", by drained inboxes: history",
                     retry_until_handled.name + ", by drained inboxes: retry", fresh + ", by pool handlers: history",
                     fresh + ", by topic handlers: history", fresh + ", by own-thread handlers: history",
                     fresh + ", by drained inboxes: history", still_beside_fast.name + ", by topic handlers: isolation",
                     shared + ", by topic handlers: groups", shared + ", by drained inboxes: groups",
                     handed_on + ", by topic handlers: groups", handed_on + ", by drained inboxes: groups",
                     cut_off + ", by pool handlers: reconnect", cut_off + ", by topic handlers: reconnect",
                     cut_off + ", by own-thread handlers: reconnect", cut_off + ", by drained inboxes: reconnect"});
}

TEST_CASE("what a topic handler and an inbox cannot do is refused, not ignored", "[conformance]") {
  const auto kind = topic_handlers::kind();
  const auto from = kind.open_publisher_side();
  const auto to = kind.open_subscriber_side(from);
  CHECK_THROWS(to->subscribe("conformance.refused", [](const actorbus::event<parcel>&) {}, {.group = "workers"}));
  // An inbox has no option for a group nor for errors: nothing to refuse.
}

TEST_CASE("every case has a name of its own", "[conformance]") {
  std::set<std::string> names;
  for (const delivery_case* what : every_case()) names.insert(what->name);
  CHECK(names.size() == every_case().size());
}
