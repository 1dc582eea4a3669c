#include "tests/contract/gaps.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace actorbus::contract {

namespace {

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

/// Behind how many events of the record each notice stood, in order.
std::vector<std::size_t> places_of_notices(const subscriber_record& record) {
  std::vector<std::size_t> result = record.gaps();
  for (const auto& notice : record.notices()) result.push_back(notice.position);
  std::sort(result.begin(), result.end());
  return result;
}

/// Judges one publisher's events in one record.
class publisher_judge {
 public:
  publisher_judge(reader& by, std::uint32_t publisher, const accepted_index::origin& from,
                  const std::vector<std::size_t>& notices)
      : by_(by), publisher_(publisher), from_(from), notices_(notices), came_(from.events.size()) {}

  /// The event at `place` of the publisher's came as number `at` of the record.
  void came(std::size_t place, std::size_t at) {
    came_[place] = true;
    if (place > next_) judge(next_, place, at);
    if (place < next_) return;  // one that came again, or out of order: that is another's to judge
    next_ = place + 1;
    last_ = at;
  }

  void end() {
    if (next_ < from_.events.size() && by_.promised().to_the_end) judge(next_, from_.events.size(), nowhere);
    for (const auto& [first, end] : unexplained_) report(first, end);
  }

 private:
  /// Those from `first` to before `end` did not come before number `at` of the record.
  void judge(std::size_t first, std::size_t end, std::size_t at) {
    const bool anywhere_to_start = by_.promised().after != std::uint64_t{0};
    if (first == 0 && anywhere_to_start) return;
    const std::size_t from = last_ == nowhere ? 0 : last_ + 1;
    const auto notice = std::lower_bound(notices_.begin(), notices_.end(), from);
    // One that has no order may have been sent again, and lost behind those that came.
    if (notice != notices_.end() && (*notice <= at || !by_.promised().ordered)) return;
    unexplained_.emplace_back(first, end);
  }

  /// Those of them that did not come at all: what came later is not lost, be it out of order or not.
  void report(std::size_t first, std::size_t end) {
    while (first != end && came_[first]) ++first;
    while (first != end && came_[end - 1]) --end;
    if (first == end) return;
    const auto lost = std::count(came_.begin() + static_cast<std::ptrdiff_t>(first),
                                 came_.begin() + static_cast<std::ptrdiff_t>(end), false);
    by_.report(finding_kind::lost, std::to_string(lost) + " of publisher " + std::to_string(publisher_) + ", counter " +
                                       std::to_string(from_.events[first].counter) + ".." +
                                       std::to_string(from_.events[end - 1].counter) + ", and no gap there");
  }

  reader& by_;
  const std::uint32_t publisher_;
  const accepted_index::origin& from_;
  const std::vector<std::size_t>& notices_;
  std::vector<bool> came_;
  std::vector<std::pair<std::size_t, std::size_t>> unexplained_;
  std::size_t next_ = 0;        // the first place of which nothing is known
  std::size_t last_ = nowhere;  // which of the record's events came last
};

void judge_record(reader& by, const subscriber_record& record, const accepted_index& accepted) {
  const auto notices = places_of_notices(record);
  std::map<std::uint32_t, publisher_judge> judges;
  for (const auto& [id, from] : accepted.origins()) {
    if (from.topic == by.topic()) judges.try_emplace(id, by, id, from, notices);
  }
  for (std::size_t at = 0; at < record.events().size(); ++at) {
    const auto& one = record.events()[at];
    const auto judge = judges.find(one.publisher);
    if (judge == judges.end()) continue;  // foreign
    const auto& from = accepted.origins().at(one.publisher);
    if (const std::size_t place = from.find(one.counter); place < from.events.size()) judge->second.came(place, at);
  }
  for (auto& [id, judge] : judges) judge.end();
}

}  // namespace

void judge_gaps(reader& by, const accepted_index& accepted) {
  for (const subscriber_record* record : by.records()) judge_record(by, *record, accepted);
}

}  // namespace actorbus::contract
