// Where a live subscription begins: behind every event whose publish returned before the call, before every one that
// starts after it returned.
#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t publishers = 3;
constexpr std::size_t without_order =
    2;  // a new publisher<T> every so often, and between two of them there is no order

struct numbered {
  std::size_t publisher;
  std::uint64_t number;
};

/// One publisher's account of itself, for other threads.
struct progress {
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> returned{0};
};

/// Publishers that go on and on, each in a way of its own.
class traffic {
 public:
  explicit traffic(topic<numbered> to) : to_(std::move(to)) {
    threads_.emplace_back([this] { go(0, [this](const numbered& n) { return to_.try_publish(n); }); });
    threads_.emplace_back([this] {
      auto out = to_.publisher();
      go(1, [&](const numbered& n) { return out.try_publish(n); });
    });
    threads_.emplace_back([this] {
      auto out = to_.publisher();
      go(without_order, [&](const numbered& n) {
        const auto why = out.try_publish(n);
        if (!why && n.number % 16 == 0) out = to_.publisher();
        return why;
      });
    });
  }
  ~traffic() { stop(); }

  void stop() {
    over_ = true;
    for (auto& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::vector<std::uint64_t> returned() const {
    std::vector<std::uint64_t> all;
    for (const auto& each : progress_) all.push_back(each.returned);
    return all;
  }
  /// The same once each has published some more.
  std::vector<std::uint64_t> goes_on_from(const std::vector<std::uint64_t>& then) const {
    for (std::size_t p = 0; p < publishers; ++p) {
      eventually([&] { return progress_[p].returned > then[p] + 5; });
    }
    return returned();
  }
  std::vector<std::uint64_t> started() const {
    std::vector<std::uint64_t> all;
    for (const auto& each : progress_) all.push_back(each.started);
    return all;
  }

 private:
  template <class Publish>
  void go(std::size_t which, Publish publish) {
    progress& mine = progress_[which];
    for (std::uint64_t number = 1; !over_; ++number) {
      mine.started = number;
      while (publish({which, number})) {
        if (over_) {
          mine.started = number - 1;
          return;
        }
        std::this_thread::yield();
      }
      mine.returned = number;
    }
  }

  topic<numbered> to_;
  std::atomic<bool> over_{false};
  progress progress_[publishers];
  std::vector<std::thread> threads_;
};

/// What a subscription saw of each publisher. Its subscription's, then, once that was cancelled, the test's.
struct sight {
  std::vector<std::uint64_t> before, after;  // returned before the call; started when it returned
  std::vector<std::uint64_t> settled;        // returned before a flush
  std::vector<std::uint64_t> seen[publishers];

  void see(const numbered& n) { seen[n.publisher].push_back(n.number); }

  /// Empty for a subscription that began where it should.
  std::string mistake() const {
    for (std::size_t p = 0; p < publishers; ++p) {
      auto numbers = seen[p];
      const bool in_order = std::is_sorted(numbers.begin(), numbers.end());
      if (!in_order && p != without_order) return "events of one publisher are out of order";
      std::sort(numbers.begin(), numbers.end());
      if (std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end()) return "an event came twice";
      if (!numbers.empty() && numbers.front() <= before[p])
        return "saw an event whose publish had returned before the call";
      for (std::uint64_t number = after[p] + 1; number <= settled[p]; ++number) {
        if (!std::binary_search(numbers.begin(), numbers.end(), number)) {
          return "missed an event whose publish started after the call had returned";
        }
      }
    }
    return {};
  }
};

}  // namespace

TEST_CASE("live begins between what returned before the call and what starts after it", "[subscribe_point]") {
  const auto where = GENERATE(run_on::pool, run_on::topic);
  const bool crowded = GENERATE(false, true);
  const std::size_t rounds = scaled(crowded ? 100 : 60);
  actorbus::bus bus;
  auto topic = bus.topic<numbered>("live", {.capacity = crowded ? 16u : 1024u, .lane = crowded ? 4u : 64u});
  std::vector<sight> sights(rounds);
  std::atomic<int> slow{0};
  auto heavy = topic.subscribe([&](const numbered&) { slow = slow + 1; });
  traffic publishing(topic);
  for (auto& each : sights) {
    each.before = publishing.returned();
    auto subscription = topic.subscribe([&each](const numbered& n) { each.see(n); }, {.run_on = where});
    each.after = publishing.started();
    each.settled = publishing.goes_on_from(each.after);
    const bool flushed = bus.flush(20s);
    subscription.cancel();
    REQUIRE(flushed);
    REQUIRE(each.mistake() == "");
    each = {};
  }
}

TEST_CASE("an inbox begins between what returned before the call and what starts after it", "[subscribe_point]") {
  const std::size_t rounds = scaled(60);
  const bool pattern = GENERATE(false, true);
  actorbus::bus bus;
  auto topic = bus.topic<numbered>("live", {.lane = 64});
  traffic publishing(topic);
  for (std::size_t i = 0; i < rounds; ++i) {
    sight seen;
    seen.before = publishing.returned();
    const inbox_options options{.capacity = 1'000'000};
    auto in = pattern ? bus.inbox<numbered>("*", options) : topic.inbox(options);
    seen.after = publishing.started();
    seen.settled = publishing.goes_on_from(seen.after);
    REQUIRE(bus.flush(20s));
    in.poll([&](const numbered& n) { seen.see(n); });
    REQUIRE(in.dropped() == 0);
    REQUIRE(seen.mistake() == "");
  }
}

TEST_CASE("subscribing never waits for a topic that is stalled, and begins behind what waits there",
          "[subscribe_point]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("live", {.lane = 8});
  auto slow = topic.subscribe([](const int&) {}, {.capacity = 2});
  slow.pause();
  for (int i = 1; i <= 6; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
  }
  std::vector<int> seen;
  auto late = topic.subscribe([&](const int& i) { seen.push_back(i); });
  REQUIRE_FALSE(topic.try_publish(7));
  on.run();
  CHECK(seen.empty());
  slow.resume();
  on.run();
  CHECK(seen == std::vector<int>{7});
}

TEST_CASE("last counts back from the call", "[subscribe_point]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("live", {.history = 10, .lane = 8});
  auto slow = topic.subscribe([](const int&) {}, {.capacity = 2});
  slow.pause();
  for (int i = 1; i <= 6; ++i) {
    REQUIRE_FALSE(topic.try_publish(i));
    on.run();
  }
  std::vector<int> seen;
  auto late = topic.subscribe([&](const int& i) { seen.push_back(i); }, {.from = replay::last(3)});
  REQUIRE_FALSE(topic.try_publish(7));
  slow.resume();
  on.run();
  CHECK(seen == std::vector<int>{4, 5, 6, 7});
}

TEST_CASE("live begins right when one thread publishes, subscribes and publishes", "[subscribe_point]") {
  const int rounds = static_cast<int>(scaled(2'000));
  actorbus::bus bus;
  auto topic = bus.topic<int>("live");
  auto busy = topic.subscribe([](const int&) {});
  int wrong = 0;
  for (int i = 0; i < rounds; ++i) {
    topic.publish(3 * i);
    auto in = topic.inbox();
    topic.publish(3 * i + 1);
    topic.publish(3 * i + 2);
    const auto first = in.next(20s);
    if (!first || **first != 3 * i + 1) ++wrong;
  }
  CHECK(wrong == 0);
}
