// The cases about subscriptions that come, go and share: history, cancel, close, groups.
#include <atomic>
#include <memory>
#include <system_error>

#include <bus/errors.hpp>

#include "tests/contract/delivery_cases.hpp"
#include "tests/contract/scene.hpp"

namespace actorbus::contract {

namespace {

const std::string topic = "conformance.subscribing";

/// Events that a publisher without an end of its own may be ahead of one who reads: with a bridge between them nothing
/// else holds it up, and all that it is ahead is waited for in the end.
constexpr std::uint64_t furthest_ahead = 500;

/// Of a subscriber that comes and goes in the middle.
expectations for_a_while(const delivery_kind& kind) {
  return {.after = std::nullopt, .to_the_end = false, .sequenced = kind.can.total_order};
}

std::string play_publish_then_subscribe(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  s.publish(1, topic, size.replayed);
  receiver& late = s.receive("late", topic, {.from = replay::all()});
  s.expect(late, size.replayed);
  s.publish(1, topic, size.replayed);
  s.expect(late, 2 * size.replayed);
  return s.end();
}

std::string play_history_for_the_new(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  receiver& old = s.receive("old", topic);
  s.publish(1, topic, size.replayed);
  s.expect(old, size.replayed);
  receiver& fresh = s.receive("new", topic, {.from = replay::all()});
  receiver& live = s.receive("live", topic);
  if (kind.can.total_order) {
    live.record().expects({.after = size.replayed});
  } else {
    live.record().expects({.after = std::nullopt, .to_the_end = false, .sequenced = false});
  }
  s.publish(2, topic, size.replayed);
  s.expect(old, 2 * size.replayed);
  s.expect(fresh, 2 * size.replayed);
  s.expect(live, size.replayed);
  std::string wrong = s.end();
  if (live.arrived().count() != size.replayed) wrong += "a live subscriber received something old\n";
  return wrong;
}

std::string play_nothing_after_cancel(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  std::atomic<bool> done{false};
  std::atomic<int> late{0};
  together(s, 2, [&](std::size_t i) {
    while (i == 0 && !done) s.publish(1, topic, 20);
    if (i == 0) return;
    for (std::size_t round = 0; round < size.rounds; ++round) {
      auto cancelled = std::make_shared<std::atomic<bool>>(false);
      receiver& brief = s.receive("brief " + std::to_string(round), topic, {},
                                  [&late, cancelled](const event<parcel>&) { late += *cancelled ? 1 : 0; });
      brief.record().expects(for_a_while(kind));
      s.expect(brief, 1);
      brief.cancel();
      *cancelled = true;
    }
    done = true;
  });
  s.publish(1, topic, 100);
  std::string wrong = s.end();
  if (late != 0) wrong += std::to_string(late) + " events came after cancel had returned\n";
  return wrong;
}

std::string play_concurrent_subscribe_and_cancel(const delivery_kind& kind, const run_size& size) {
  constexpr std::size_t at_a_time = 10;
  scene s(kind);
  receiver& steady = s.receive("steady", topic);
  std::atomic<std::size_t> busy{at_a_time};
  std::uint64_t published = 0;
  together(s, at_a_time + 1, [&](std::size_t i) {
    if (i == at_a_time) {
      for (; busy != 0; published += 20) {
        s.publish(1, topic, 20);
        if (published > furthest_ahead) s.expect(steady, published - furthest_ahead);
      }
      return;
    }
    for (std::size_t round = 0; round < size.rounds; ++round) {
      receiver& brief = s.receive("brief " + std::to_string(i) + "." + std::to_string(round), topic);
      brief.record().expects(for_a_while(kind));
      brief.cancel();
    }
    --busy;
  });
  s.expect(steady, published);
  return s.end();
}

std::string play_concurrent_subscribe_and_close(const delivery_kind& kind, const run_size&) {
  constexpr std::size_t at_a_time = 10;
  scene s(kind);
  gauge subscribed;
  std::atomic<bool> closed{false};
  receiver& steady = s.receive("steady", topic);
  s.publish(1, topic, 1);
  together(s, at_a_time + 2, [&](std::size_t i) {
    if (i == at_a_time) {
      std::error_code refused;
      for (std::uint64_t sent = 1; !refused; sent += 20) {
        refused = s.publish_until_refused(1, topic, 20);
        if (sent > furthest_ahead) s.expect(steady, sent - furthest_ahead);
      }
      if (refused != errc::closed) s.complain("the publisher ended with: " + refused.message());
      return;
    }
    if (i == at_a_time + 1) {
      s.expect(subscribed, 2 * at_a_time, "subscriptions");
      s.close_publishing();
      s.close_subscribing();
      closed = true;
      return;
    }
    for (;;) {
      const bool too_late = closed;
      try {
        receiver& brief = s.receive("brief " + std::to_string(i), topic);
        brief.record().expects(for_a_while(kind));
        brief.cancel();
        subscribed.add();
      } catch (const bus_error& error) {
        if (error.code() != errc::closed) throw;
        return;
      }
      if (too_late) return s.complain("subscribing succeeded after the end");
    }
  });
  return s.end();
}

std::string play_shared_in_a_group(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  gauge shared;
  for (int i = 0; i < 4; ++i) {
    receiver& member = s.receive("member " + std::to_string(i), topic, {.group = "workers"},
                                 [&shared](const event<parcel>&) { shared.add(); });
    member.record().expects({.ordered = false, .sequenced = kind.can.total_order});
  }
  receiver& apart = s.receive("apart", topic);
  together(s, 4, [&](std::size_t i) { s.publish(static_cast<std::uint32_t>(i), topic, size.replayed); });
  s.expect(shared, 4 * size.replayed, "the group");
  s.expect(apart, 4 * size.replayed);
  return s.end();
}

std::string play_group_hands_on(const delivery_kind& kind, const run_size& size) {
  scene s(kind);
  gauge shared;
  std::vector<receiver*> members;
  for (int i = 0; i < 3; ++i) {
    members.push_back(&s.receive("member " + std::to_string(i), topic, {.group = "workers"},
                                 [&shared](const event<parcel>&) { shared.add(); }));
    members.back()->record().expects({.ordered = false, .sequenced = kind.can.total_order});
  }
  together(s, 2, [&](std::size_t i) {
    if (i == 0) return s.publish(1, topic, size.replayed);
    s.expect(shared, size.replayed / 4, "the group of three");
    members[0]->cancel();
    s.expect(shared, size.replayed / 2, "the group of two");
    members[1]->cancel();
  });
  s.expect(shared, size.replayed, "the last member");
  return s.end();
}

}  // namespace

const delivery_case publish_then_subscribe{
    "what was published before is replayed to one that subscribes", {&features::history}, play_publish_then_subscribe};
const delivery_case history_for_the_new{
    "a new subscriber gets history, the others only what is new", {&features::history}, play_history_for_the_new};
const delivery_case nothing_after_cancel{"nothing arrives after cancel has returned", {}, play_nothing_after_cancel};
const delivery_case concurrent_subscribe_and_cancel{
    "subscriptions come and go, ten at a time, and another misses nothing",
    {&features::blocking},
    play_concurrent_subscribe_and_cancel};
const delivery_case concurrent_subscribe_and_close{
    "subscribing while all closes, ten at a time, succeeds or is refused as closed",
    {&features::drains},
    play_concurrent_subscribe_and_close};
const delivery_case shared_in_a_group{"a group shares the events: each to exactly one member",
                                      {&features::groups, &features::blocking},
                                      play_shared_in_a_group};
const delivery_case group_hands_on{
    "a member that leaves hands on to the others", {&features::groups, &features::blocking}, play_group_hands_on};

}  // namespace actorbus::contract
