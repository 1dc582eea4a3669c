#include "tests/redis/contract/grouped_sides.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "tests/eventually.hpp"
#include "tests/redis/client.hpp"
#include "tests/redis/contract/parcel_codec.hpp"

namespace actorbus::contract {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

/// What fails here is meant to, and needs no report.
bus_options quiet() { return {.logger = std::make_shared<spdlog::logger>("silent")}; }

class grouped_intake final : public intake {
 public:
  grouped_intake(redis::consumer held, std::function<void()> gone) : gone_(std::move(gone)), held_(std::move(held)) {}
  ~grouped_intake() override {
    gone_();
    held_.stop(patience);
  }
  bool read_to_the_end() override { return true; }  // its side has waited for all

 private:
  const std::function<void()> gone_;
  redis::consumer held_;
};

}  // namespace

grouped_subscriber_side::grouped_subscriber_side(std::shared_ptr<publisher_side> from)
    : from_(std::move(from)),
      bus_(quiet()),
      bridge_(bus_, {.uri = this->from().server().uri(), .retry_first = 5ms, .retry_most = 50ms}) {
  bridge_.wait_ready(patience);
}

std::unique_ptr<intake> grouped_subscriber_side::subscribe(const std::string& topic, receive to, const wishes& how) {
  std::pair<std::string, std::string> what{topic, how.group};
  {
    std::lock_guard lock(mutex_);
    if (how.group.empty()) what.second = "alone-" + std::to_string(++groups_);
  }
  auto held = bridge_.consume<parcel>(topic, std::move(to),
                                      {.group = what.second, .claim_after = 1s, .from = how.from, .retry_first = 1ms});
  bridge_.wait_ready(patience);
  {
    std::lock_guard lock(mutex_);
    consumed_.insert(what);
  }
  return std::make_unique<grouped_intake>(std::move(held), [this, what] {
    std::lock_guard lock(mutex_);
    consumed_.erase(consumed_.find(what));
  });
}

bool grouped_subscriber_side::has_read_all() {
  std::lock_guard lock(mutex_);
  testing::redis_client client(from().server());
  return std::all_of(consumed_.begin(), consumed_.end(), [&](const auto& each) {
    const auto groups = client.run("XINFO", "GROUPS", each.first);
    for (const auto& group : groups.list()) {
      if (group[1].text() != each.second) continue;
      const auto last = client.run("XINFO", "STREAM", each.first)[7].text();
      return group[5].integer() == 0 && group[7].text() == last;
    }
    return false;
  });
}

std::string grouped_subscriber_side::close() {
  const bool all = testing::eventually([&] { return has_read_all(); }, [&] { return bridge_.stats().consumed; });
  return std::string(all ? "" : "not all that was sent was received\n") +
         (bus_.close(patience).drained ? "" : "close did not drain the bus\n");
}

}  // namespace actorbus::contract
