#include "tests/redis/faults/told_losses.hpp"

#include <algorithm>
#include <limits>

namespace actorbus::testing {

void told_losses::came(std::uint32_t publisher, std::uint64_t counter, redis::stream_id id) {
  ++arrivals_;
  came_.try_emplace({publisher, counter}, arrival{id, arrivals_});
}

/// Of what lay between two of one publisher's that came.
bool told_losses::is_told(const arrival& before, const arrival& behind) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const auto& each) { return each.first < behind.id && before.id < each.second; }) ||
         std::any_of(resets_.begin(), resets_.end(), [&](std::size_t at) { return before.number <= at; });
}

std::string told_losses::untold(std::uint32_t publisher, std::uint64_t accepted) const {
  std::string result;
  std::uint64_t next = 1;
  arrival last;
  const auto look = [&](std::uint64_t counter, const arrival& behind) {
    if (counter > next && !is_told(last, behind)) {
      result += "untold: " + std::to_string(next) + " to " + std::to_string(counter - 1) + " of publisher " +
                std::to_string(publisher) + ", between " + last.id.to_string() + " and " + behind.id.to_string() +
                "; told";
      for (const auto& [first, end] : ranges_) result += ' ' + first.to_string() + ".." + end.to_string();
      result += '\n';
    }
    next = counter + 1;
    last = behind;
  };
  for (auto at = came_.lower_bound({publisher, 0}); at != came_.end() && at->first.first == publisher; ++at)
    look(at->first.second, at->second);
  look(accepted + 1, {redis::stream_id::max(), std::numeric_limits<std::size_t>::max()});
  return result;
}

}  // namespace actorbus::testing
