// What a consumer of a group holds, told by hand what the server and the handlers do.
#include <bridges/redis/group_ledger.hpp>

#include <vector>

#include "tests/catch.hpp"

using namespace actorbus::redis;
using namespace std::chrono_literals;

namespace {

using ids = std::vector<stream_id>;

constexpr group_ledger::time_point start_of_time{std::chrono::hours{1}};
constexpr stream_id one{1, 0};
constexpr stream_id two{2, 0};
constexpr stream_id three{3, 0};

struct fixture {
  group_ledger ledger;
  group_ledger::time_point now = start_of_time;

  explicit fixture(const group_settings& with) : ledger(with) {}

  void deliver(stream_id id, std::uint64_t deliveries = 1) { CHECK(ledger.add(id, deliveries, now)); }
};

}  // namespace

TEST_CASE("a ledger has room for what may be in flight and no more", "[group_ledger]") {
  fixture f({.max_in_flight = 2});
  CHECK(f.ledger.room() == 2);
  f.deliver(one);
  f.deliver(two);
  CHECK(f.ledger.room() == 0);
  f.deliver(three);  // claimed from another in the same moment
  CHECK(f.ledger.room() == 0);
}

TEST_CASE("an entry that is delivered twice to the same consumer is held once", "[group_ledger]") {
  fixture f({});
  f.deliver(one);
  CHECK_FALSE(f.ledger.add(one, 2, f.now));
  CHECK(f.ledger.out() == 1);
  CHECK(f.ledger.deliveries(one) == 1);
}

TEST_CASE("an entry is held until the server confirmed its acknowledgement", "[group_ledger]") {
  fixture f({.max_in_flight = 1});
  f.deliver(one);
  f.ledger.done(one);
  CHECK_FALSE(f.ledger.is_settled());
  CHECK(f.ledger.take_done() == ids{one});
  CHECK(f.ledger.take_done().empty());
  CHECK(f.ledger.room() == 0);
  CHECK_FALSE(f.ledger.is_settled());
  f.ledger.acknowledged({one});
  CHECK(f.ledger.room() == 1);
  CHECK(f.ledger.is_settled());
}

TEST_CASE("an acknowledgement whose answer was lost is sent again", "[group_ledger]") {
  fixture f({});
  for (const auto& each : {one, two}) f.deliver(each);
  f.ledger.done(two);
  CHECK(f.ledger.take_done() == ids{two});
  f.ledger.done(one);
  f.ledger.lost(f.now);
  CHECK(f.ledger.take_done() == ids{one, two});
  f.ledger.acknowledged({one, two});
  CHECK(f.ledger.held() == 0);
}

TEST_CASE("what is acknowledged ahead of the next read holds no room, until that is lost", "[group_ledger]") {
  fixture f({.max_in_flight = 2});
  for (const auto& each : {one, two}) f.deliver(each);
  f.ledger.done(one);
  CHECK(f.ledger.room() == 0);
  CHECK(f.ledger.take_done(group_ledger::sent::ahead) == ids{one});
  CHECK(f.ledger.room() == 1);
  CHECK_FALSE(f.ledger.is_settled());
  f.ledger.done(two);
  CHECK(f.ledger.take_done(group_ledger::sent::aside) == ids{two});
  f.ledger.lost(f.now);  // the other way
  CHECK(f.ledger.take_done() == ids{two});
  f.ledger.lost_ahead();
  CHECK(f.ledger.room() == 0);
  CHECK(f.ledger.take_done(group_ledger::sent::ahead) == ids{one});
  CHECK_FALSE(f.ledger.add(one, 2, f.now));  // delivered again meanwhile
  CHECK(f.ledger.room() == 0);
  f.ledger.acknowledged({one, two});
  CHECK(f.ledger.take_done(group_ledger::sent::ahead) == ids{one});
  f.ledger.acknowledged({one});
  CHECK(f.ledger.room() == 2);
  CHECK(f.ledger.is_settled());
}

TEST_CASE("an entry that is acknowledged twice counts once, when it is held no more", "[group_ledger]") {
  fixture f({});
  for (const auto& each : {one, two}) f.deliver(each);
  for (const auto& each : {one, two}) {
    f.ledger.done(each);
    CHECK(f.ledger.take_done(group_ledger::sent::ahead) == ids{each});
  }
  f.ledger.lost_ahead();                     // the first one is refused
  CHECK(f.ledger.acknowledged({two}) == 0);  // the second one is not
  CHECK(f.ledger.take_done() == ids{one, two});
  CHECK(f.ledger.acknowledged({one, two}) == 2);
  CHECK(f.ledger.acknowledged({one, two}) == 0);
}

TEST_CASE("an entry delivered again while its acknowledgement is under way is acknowledged once more",
          "[group_ledger]") {
  fixture f({});
  for (const auto& each : {one, two}) f.deliver(each);
  f.ledger.done(one);
  CHECK(f.ledger.take_done() == ids{one});
  CHECK_FALSE(f.ledger.add(one, 2, f.now));
  CHECK_FALSE(f.ledger.add(two, 2, f.now));  // its handler still runs
  f.ledger.acknowledged({one});
  CHECK(f.ledger.holds(one));
  CHECK(f.ledger.take_done() == ids{one});
  f.ledger.acknowledged({one});
  CHECK(f.ledger.held() == 1);
}

TEST_CASE("an entry whose handler failed rests longer each time and is then recalled", "[group_ledger]") {
  fixture f({.first_delay = 100ms, .longest_delay = 300ms});
  std::uint64_t delivery = 1;
  f.deliver(one, delivery);
  for (const auto delay : {100ms, 200ms, 300ms, 300ms}) {
    CHECK(f.ledger.failed(one, f.now));
    CHECK(f.ledger.out() == 0);
    CHECK(f.ledger.wake_at() == f.now + delay);
    f.now += delay - 1ms;
    CHECK(f.ledger.take_rested(f.now).empty());
    f.now += 1ms;
    CHECK(f.ledger.take_rested(f.now) == ids{one});
    CHECK(f.ledger.take_rested(f.now).empty());
    CHECK(f.ledger.recalled(one, ++delivery, f.now));
    CHECK(f.ledger.deliveries(one) == delivery);
  }
  CHECK_FALSE(f.ledger.failed(one, f.now));  // the fifth
}

TEST_CASE("the last delivery by the server's count is the last, whoever made the others", "[group_ledger]") {
  fixture f({.max_deliveries = 3});
  f.deliver(one, 3);
  CHECK_FALSE(f.ledger.is_exhausted(3));
  CHECK(f.ledger.is_exhausted(4));
  CHECK_FALSE(f.ledger.failed(one, f.now));
}

TEST_CASE("what is buried is held until the dead letter has its place", "[group_ledger]") {
  fixture f({.max_deliveries = 1});
  f.deliver(one);
  CHECK_FALSE(f.ledger.failed(one, f.now));
  f.ledger.bury(one);
  CHECK(f.ledger.out() == 0);
  CHECK_FALSE(f.ledger.is_settled());
  f.ledger.lost(f.now);
  CHECK(f.ledger.take_done().empty());
  f.ledger.acknowledged({one});
  CHECK(f.ledger.held() == 0);
}

TEST_CASE("one that rests is not in a stop's way", "[group_ledger]") {
  fixture f({});
  f.deliver(one);
  f.deliver(two);
  CHECK(f.ledger.failed(one, f.now));
  CHECK_FALSE(f.ledger.is_settled());
  f.ledger.done(two);
  f.ledger.acknowledged(f.ledger.take_done());
  CHECK(f.ledger.is_settled());
  CHECK(f.ledger.resting() == ids{one});
}

TEST_CASE("an entry that is no longer ours when it is recalled is let go", "[group_ledger]") {
  fixture f({.first_delay = 1ms});
  f.deliver(one);
  CHECK(f.ledger.failed(one, f.now));
  f.now += 1ms;
  CHECK(f.ledger.take_rested(f.now) == ids{one});
  CHECK_FALSE(f.ledger.recalled(one, std::nullopt, f.now));
  CHECK(f.ledger.held() == 0);
}

TEST_CASE("an entry that another has claimed is let go, wherever it stands", "[group_ledger]") {
  fixture f({});
  for (const auto& each : {one, two, three}) f.deliver(each);
  CHECK(f.ledger.failed(one, f.now));
  f.ledger.done(three);  // handled all the same: it is acknowledged
  for (const auto& each : {one, two, three}) f.ledger.forget(each);
  CHECK(f.ledger.out() == 0);
  CHECK(f.ledger.resting().empty());
  CHECK(f.ledger.take_done() == ids{three});
  f.ledger.done(two);  // its handler returned later: nobody asks any more
  CHECK(f.ledger.take_done().empty());
}

TEST_CASE("a recall whose answer was lost is asked for again", "[group_ledger]") {
  fixture f({.first_delay = 1ms});
  f.deliver(one);
  CHECK(f.ledger.failed(one, f.now));
  f.now += 1ms;
  CHECK(f.ledger.take_rested(f.now) == ids{one});
  f.ledger.lost(f.now);
  CHECK(f.ledger.take_rested(f.now) == ids{one});
}

TEST_CASE("what is held is told alive a third of the way to being claimed, handed out or resting", "[group_ledger]") {
  fixture f({.claim_after = 30s, .first_delay = 1h, .longest_delay = 1h});
  f.deliver(one);
  CHECK(f.ledger.failed(one, f.now));
  f.now += 4s;
  f.deliver(two);
  CHECK(f.ledger.wake_at() == start_of_time + 10s);
  f.now = start_of_time + 10s;
  CHECK(f.ledger.take_aging(f.now) == ids{one});
  CHECK(f.ledger.take_aging(f.now).empty());
  CHECK(f.ledger.wake_at() == start_of_time + 14s);
  f.now = start_of_time + 20s;
  CHECK(f.ledger.take_aging(f.now) == ids{one, two});
}

TEST_CASE("what is done need not be told alive", "[group_ledger]") {
  fixture f({.claim_after = 30s});
  f.deliver(one);
  f.ledger.done(one);
  CHECK(f.ledger.take_aging(f.now + 20s).empty());
  CHECK(f.ledger.wake_at() == group_ledger::time_point::max());
}

TEST_CASE("a ledger knows the oldest entry it holds", "[group_ledger]") {
  fixture f({});
  CHECK_FALSE(f.ledger.oldest());
  for (const auto& each : {two, one, three}) f.deliver(each);
  CHECK(f.ledger.oldest() == one);
}

TEST_CASE("a retry that the server refused rests, once, whatever else is asked for again", "[group_ledger]") {
  fixture f({.first_delay = 1ms});
  for (const auto& each : {one, two}) f.deliver(each);
  f.ledger.done(two);
  CHECK(f.ledger.take_done() == ids{two});
  CHECK(f.ledger.failed(one, f.now));
  f.now += 1ms;
  CHECK(f.ledger.take_rested(f.now) == ids{one});
  f.ledger.lost_aside();  // an acknowledgement was refused; the retry is still under way
  CHECK(f.ledger.take_done() == ids{two});
  CHECK(f.ledger.take_rested(f.now).empty());
  f.ledger.not_recalled({one}, f.now + 1s);
  f.ledger.not_recalled({one}, f.now + 2s);
  CHECK(f.ledger.take_rested(f.now).empty());
  CHECK(f.ledger.wake_at() == f.now + 1s);
  f.now += 1s;
  CHECK(f.ledger.take_rested(f.now) == ids{one});
  CHECK(f.ledger.recalled(one, 2, f.now));
  CHECK(f.ledger.take_rested(f.now + 1h).empty());
  f.ledger.done(one);
  CHECK(f.ledger.acknowledged(f.ledger.take_done()) == 1);
}

TEST_CASE("only what is handed out can fail or be buried", "[group_ledger]") {
  fixture f({.max_deliveries = 1});
  f.deliver(one);
  f.ledger.done(one);
  CHECK(f.ledger.failed(one, f.now));  // not to be buried
  f.ledger.bury(one);
  CHECK(f.ledger.take_done() == ids{one});
  CHECK(f.ledger.resting().empty());
}

TEST_CASE("what is handled and not yet confirmed is not let go", "[group_ledger]") {
  fixture f({});
  f.deliver(one);
  f.ledger.done(one);
  CHECK(f.ledger.take_done(group_ledger::sent::ahead) == ids{one});
  f.ledger.forget(one);
  CHECK(f.ledger.acknowledged({one}) == 1);
}
