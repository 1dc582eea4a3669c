#include "tests/contract/missing.hpp"

#include <algorithm>
#include <limits>

namespace actorbus::contract {

namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

std::string range(std::uint64_t first, std::uint64_t last) {
  return first == last ? std::to_string(first) : std::to_string(first) + ".." + std::to_string(last);
}

void judge_notice(reader& by, const subscriber_record& record, const subscriber_record::notice& notice) {
  const std::string shown = "the notice of " + std::to_string(notice.count) + " events, " +
                            std::to_string(notice.first) + " to " + std::to_string(notice.last) + ",";
  if (by.promised().allowed == losses::none) by.report(finding_kind::lost, shown + " tells of a loss");
  if (notice.first > notice.last || notice.count != notice.last - notice.first + 1) {
    by.report(finding_kind::unexplained_gap, shown + " contradicts itself");
  }
  const auto& events = record.events();
  const bool late = notice.position > 0 && events[notice.position - 1].sequence >= notice.first;
  const bool early = notice.position < events.size() && events[notice.position].sequence <= notice.last;
  if (by.promised().ordered && (late || early)) {
    by.report(finding_kind::unexplained_gap, shown + " is not where the jump is");
  }
}

void judge_spans(reader& by) {
  std::uint64_t next = by.start() + 1;
  std::uint64_t told_until = 0;
  for (const auto& [first, last, told] : by.spans()) {
    if (first <= by.start())
      by.report(finding_kind::foreign, "sequence " + range(first, last) + " is before its start");
    if (first > next) by.report(finding_kind::unexplained_gap, "nothing about sequence " + range(next, first - 1));
    if (told ? first < next : first <= told_until) {
      by.report(finding_kind::unexplained_gap, "sequence " + range(first, last) + " is accounted for twice");
    }
    if (told) told_until = std::max(told_until, last);
    next = std::max(next, last + 1);
  }
}

/// Accepted events of one publisher that did not come, from place `first` to before `end`; their neighbours did.
struct run {
  std::uint32_t publisher;
  const accepted_index::origin& from;
  std::size_t first, end;

  bool leads() const { return first == 0; }
  bool trails() const { return end == from.events.size(); }
};

/// Whether a missing event may be missing. One that nobody received has no sequence: its neighbours' bound it.
bool excused(const reader& by, const run& missing, std::uint64_t sequence) {
  const bool anywhere_to_start = by.promised().after != std::uint64_t{0};
  const bool told = by.promised().allowed == losses::told;
  if (sequence != 0) {
    if (sequence <= by.start() || (!by.promised().to_the_end && sequence > by.end())) return true;
    return told && by.told_between(sequence - 1, sequence + 1);
  }
  if (missing.leads() && anywhere_to_start) return true;
  if (missing.trails() && !by.promised().to_the_end) return true;
  const auto& events = missing.from.events;
  const std::uint64_t above = missing.leads() ? by.start() : events[missing.first - 1].sequence;
  const std::uint64_t below = missing.trails() ? no_limit : events[missing.end].sequence;
  return told && by.told_between(above, below);
}

void judge_run(reader& by, const run& missing) {
  std::uint64_t lost = 0, from = 0, to = 0;
  for (std::size_t at = missing.first; at < missing.end; ++at) {
    const auto& one = missing.from.events[at];
    if (excused(by, missing, by.promised().sequenced ? one.sequence : 0)) continue;
    if (++lost == 1) from = one.counter;
    to = one.counter;
  }
  if (lost == 0) return;
  by.report(finding_kind::lost, std::to_string(lost) + " of publisher " + std::to_string(missing.publisher) +
                                    ", counter " + range(from, to));
}

/// Returns how many are missing, excused or not.
std::uint64_t judge_publisher(reader& by, std::uint32_t id, const accepted_index::origin& from) {
  const auto& seen = by.seen(id, from.events.size());
  std::uint64_t missing = 0;
  for (auto at = seen.begin(); (at = std::find(at, seen.end(), 0)) != seen.end();) {
    const auto end = std::find(at, seen.end(), 1);
    missing += static_cast<std::uint64_t>(end - at);
    judge_run(by,
              {id, from, static_cast<std::size_t>(at - seen.begin()), static_cast<std::size_t>(end - seen.begin())});
    at = end;
  }
  return missing;
}

}  // namespace

void judge_sequences(reader& by) {
  for (const subscriber_record* record : by.records()) {
    for (const auto& notice : record->notices()) judge_notice(by, *record, notice);
  }
  const losses allowed = by.promised().allowed;
  if (allowed == losses::none || allowed == losses::told) judge_spans(by);
}

void judge_losses(reader& by, const accepted_index& accepted) {
  const expectations& promised = by.promised();
  if (promised.sequenced && !promised.after && by.spans().empty()) return;  // it never began
  std::uint64_t missing = 0;
  for (const auto& [id, from] : accepted.origins()) {
    if (from.topic == by.topic()) missing += judge_publisher(by, id, from);
  }
  if (by.reported(finding_kind::lost) || !promised.sequenced || !promised.to_the_end) return;
  // What no publisher's events could show, the sequences and the sums do.
  const std::uint64_t last = accepted.last_sequence(by.topic());
  if (by.end() < last) by.report(finding_kind::lost, "nothing about sequence " + range(by.end() + 1, last));
  if (promised.allowed == losses::told && promised.after == std::uint64_t{0} && by.told() != missing) {
    by.report(finding_kind::lost,
              std::to_string(missing) + " are missing, " + std::to_string(by.told()) + " were told");
  }
}

}  // namespace actorbus::contract
