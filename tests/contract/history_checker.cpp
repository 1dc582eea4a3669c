#include "tests/contract/history_checker.hpp"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <sstream>

#include "tests/contract/accepted_index.hpp"
#include "tests/contract/gaps.hpp"
#include "tests/contract/missing.hpp"
#include "tests/contract/reader.hpp"

namespace actorbus::contract {

namespace {

std::string named(const subscriber_record::event& one) {
  return "event " + std::to_string(one.counter) + " of publisher " + std::to_string(one.publisher) + " (sequence " +
         std::to_string(one.sequence) + ")";
}

/// Notes that `one` came, and its sequence. False for a foreign event and a duplicate, whose place says nothing.
bool judge_event(reader& by, const subscriber_record::event& one, accepted_index& accepted) {
  auto* from = accepted.find(one.publisher);
  const std::size_t place = from ? from->find(one.counter) : 0;
  if (!from || place == from->events.size()) {
    by.report(finding_kind::foreign, named(one) + " was never published");
    return false;
  }
  if (from->topic != by.topic()) {
    by.report(finding_kind::foreign, named(one) + " was published on \"" + from->topic + "\"");
    return false;
  }
  auto& known = from->events[place];
  if (known.value != one.value) by.report(finding_kind::foreign, named(one) + " has another value than was published");
  char& seen = by.seen(one.publisher, from->events.size())[place];
  if (seen) {
    if (!one.again || by.promised().doubled == doubles::none) by.report(finding_kind::duplicated, named(one));
    return false;
  }
  seen = 1;
  if (by.promised().sequenced) {
    if (known.sequence == 0) known.sequence = one.sequence;
    if (known.sequence != one.sequence) {
      by.report(finding_kind::total_order_differs,
                named(one) + " has sequence " + std::to_string(known.sequence) + " elsewhere");
    }
  }
  return true;
}

void judge_record(reader& by, const subscriber_record& record, accepted_index& accepted) {
  std::map<std::uint32_t, std::uint64_t> newest;
  std::uint64_t sequence = 0;
  for (const auto& one : record.events()) {
    if (!judge_event(by, one, accepted) || !by.promised().ordered) continue;
    std::uint64_t& before = newest[one.publisher];
    if (one.counter < before) {
      by.report(finding_kind::reordered, named(one) + " came behind its event " + std::to_string(before));
    }
    before = std::max(before, one.counter);
    if (!by.promised().sequenced) continue;
    if (one.sequence <= sequence) {
      by.report(finding_kind::total_order_differs, named(one) + " came behind sequence " + std::to_string(sequence));
    }
    sequence = std::max(sequence, one.sequence);
  }
}

/// No two events of a topic have the same sequence, whoever received them.
void judge_topic(reader& any, const accepted_index& accepted) {
  std::map<std::uint64_t, std::uint32_t> owners;
  for (const auto& [id, from] : accepted.origins()) {
    if (from.topic != any.topic()) continue;
    for (const auto& one : from.events) {
      if (one.sequence == 0) continue;
      const auto [owner, fresh] = owners.try_emplace(one.sequence, id);
      if (fresh) continue;
      any.report(finding_kind::total_order_differs, "publishers " + std::to_string(owner->second) + " and " +
                                                        std::to_string(id) + " both have an event with sequence " +
                                                        std::to_string(one.sequence));
    }
  }
}

/// Losses told by sequences that are not judged cannot be judged either.
bool losses_can_be_judged(const expectations& promised) {
  return promised.allowed == losses::none || (promised.allowed == losses::told && promised.sequenced);
}

}  // namespace

std::string_view to_string(finding_kind kind) noexcept {
  switch (kind) {
    case finding_kind::lost:
      return "lost";
    case finding_kind::duplicated:
      return "duplicated";
    case finding_kind::reordered:
      return "reordered";
    case finding_kind::unexplained_gap:
      return "unexplained gap";
    case finding_kind::total_order_differs:
      return "total order differs";
    case finding_kind::foreign:
      return "foreign";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, const finding& found) {
  return out << to_string(found.kind) << ": " << found.subscriber << ' ' << found.what;
}

std::vector<finding> check(const history& what, const expectations& promised) {
  accepted_index accepted(what);
  std::vector<reader> readers = readers_of(what, promised);
  for (reader& by : readers) {
    for (const subscriber_record* record : by.records()) judge_record(by, *record, accepted);
  }
  std::set<std::string> topics;
  std::vector<finding> result;
  for (reader& by : readers) {
    if (topics.insert(by.topic()).second) judge_topic(by, accepted);
    if (by.promised().sequenced) judge_sequences(by);
    if (losses_can_be_judged(by.promised())) judge_losses(by, accepted);
    if (by.promised().allowed == losses::in_gaps) judge_gaps(by, accepted);
    result.insert(result.end(), by.findings().begin(), by.findings().end());
  }
  return result;
}

std::string describe(const std::vector<finding>& findings) {
  std::ostringstream text;
  for (const finding& one : findings) text << one << '\n';
  return text.str();
}

}  // namespace actorbus::contract
