#include "tests/contract/reader.hpp"

#include <algorithm>

namespace actorbus::contract {

namespace {

constexpr int most_of_a_kind = 10;

void sort_by_first(std::vector<reader::span>& spans) {
  std::stable_sort(spans.begin(), spans.end(), [](const auto& one, const auto& other) {
    return one.first != other.first ? one.first < other.first : one.told < other.told;
  });
}

}  // namespace

reader::reader(const subscriber_record& first, const expectations& by_default)
    : name_(first.group().empty() ? first.name() : first.group()),
      topic_(first.topic()),
      group_(first.group()),
      promised_(first.promised().value_or(by_default)) {
  add(first);
}

bool reader::takes(const subscriber_record& member) const {
  return !group_.empty() && member.group() == group_ && member.topic() == topic_;
}

void reader::add(const subscriber_record& member) {
  records_.push_back(&member);
  if (!promised_.sequenced) return;
  for (const auto& one : member.events()) {
    if (one.sequence != 0) spans_.push_back({one.sequence, one.sequence, false});
  }
  for (const auto& notice : member.notices()) {
    if (notice.first <= notice.last) notices_.push_back({notice.first, notice.last, true});
  }
}

void reader::complete() {
  spans_.insert(spans_.end(), notices_.begin(), notices_.end());
  sort_by_first(spans_);
  sort_by_first(notices_);
}

std::vector<char>& reader::seen(std::uint32_t publisher, std::size_t count) {
  return seen_.try_emplace(publisher, count).first->second;
}

std::uint64_t reader::start() const {
  if (promised_.after) return *promised_.after;
  return spans_.empty() ? 0 : spans_.front().first - 1;
}

std::uint64_t reader::end() const {
  std::uint64_t result = start();
  for (const span& one : spans_) result = std::max(result, one.last);
  return result;
}

bool reader::told_between(std::uint64_t above, std::uint64_t below) const {
  const auto behind =
      std::partition_point(notices_.begin(), notices_.end(), [&](const span& notice) { return notice.first < below; });
  return behind != notices_.begin() && std::prev(behind)->last > above;
}

std::uint64_t reader::told() const {
  std::uint64_t result = 0;
  for (const span& notice : notices_) result += notice.last - notice.first + 1;
  return result;
}

void reader::report(finding_kind kind, const std::string& what) {
  if (++counts_[kind] <= most_of_a_kind) findings_.push_back({kind, name_, "on \"" + topic_ + "\": " + what});
}

std::vector<reader> readers_of(const history& what, const expectations& by_default) {
  std::vector<reader> result;
  for (const subscriber_record& record : what.subscribers()) {
    // Only members of a group are looked for: there may be a hundred thousand that come and go.
    const auto group = record.group().empty() ? result.end()
                                              : std::find_if(result.begin(), result.end(),
                                                             [&](const reader& other) { return other.takes(record); });
    if (group != result.end()) {
      group->add(record);
    } else {
      result.emplace_back(record, by_default);
    }
  }
  for (reader& one : result) one.complete();
  return result;
}

}  // namespace actorbus::contract
