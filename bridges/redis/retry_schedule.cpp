#include <bridges/redis/retry_schedule.hpp>

#include <string>
#include <utility>

#include <bus/errors.hpp>

namespace actorbus::redis {

retry_schedule::retry_schedule(duration first, duration most, random chance)
    : first_(first), most_(most), chance_(std::move(chance)) {
  if (first <= duration::zero() || most < first) {
    throw bus_error(errc::invalid_argument, "a retry schedule cannot begin with " + std::to_string(first.count()) +
                                                " ns and end at " + std::to_string(most.count()) +
                                                " ns: the first delay is above zero and not above the last");
  }
}

retry_schedule::duration retry_schedule::next() {
  const std::uint64_t doublings = attempts_++;
  const bool within = doublings < 63 && first_.count() <= (most_.count() >> doublings);  // else it may overflow
  const std::int64_t longest = within ? first_.count() << doublings : most_.count();
  const std::int64_t half = longest / 2;
  return duration{longest - static_cast<std::int64_t>(chance_() % (static_cast<std::uint64_t>(half) + 1))};
}

}  // namespace actorbus::redis
