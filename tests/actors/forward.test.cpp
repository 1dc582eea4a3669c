#include <actors/forward.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include <actors/host.hpp>

#include "tests/bus/counted.hpp"
#include "tests/bus/story.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/eventually.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

using lines = story::lines_type;

namespace {

/// A user's program. Declared before the bus, so that its system ends last.
struct program {
  program() {
    config.set("scheduler.max-threads", std::size_t{2});
    system.emplace(config);
  }
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
};

caf::behavior telling(caf::event_based_actor*, story* told) {
  return {[told](const event<int>& e) { told->add(std::string(e.topic()) + ' ' + std::to_string(*e)); }};
}

using answers = std::vector<caf::response_promise>;
using answer_atom = caf::atom_constant<caf::atom("answer")>;

/// Answers an event when the test says so.
caf::behavior hesitating(caf::stateful_actor<answers>* self, std::atomic<int>* received) {
  return {[self, received](const event<int>&) {
            self->state.push_back(self->make_response_promise());
            ++*received;
            return self->state.back();
          },
          [self](answer_atom) {
            self->state.front().deliver(caf::unit);
            self->state.erase(self->state.begin());
          }};
}

/// An actor that holds promises holds itself: somebody has to end it.
struct ends_with_the_test {
  caf::actor actor;
  ~ends_with_the_test() { caf::anon_send_exit(actor, caf::exit_reason::kill); }
};

}  // namespace

TEST_CASE("forward sends each event to the actor, in order, as a kept event", "[forward]") {
  program mine;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent");
  auto subscription = forward(topic, mine.system->spawn(telling, &told));
  lines expected;
  for (int i = 1; i <= 100; ++i) {
    topic.publish(i);
    expected.push_back("sent " + std::to_string(i));
  }
  CHECK(told.reaches(100));
  CHECK(told.lines() == expected);
}

TEST_CASE("forward on a pattern sends the events of each topic it covers", "[forward]") {
  program mine;
  story told;
  actorbus::bus bus{engine_on(*mine.system)};
  auto a = bus.topic<int>("p.a");
  auto subscription = forward<int>(bus, "p.*", mine.system->spawn(telling, &told));
  auto b = bus.topic<int>("p.b");
  a.publish(1);
  b.publish(2);
  REQUIRE(told.reaches(2));
  auto seen = told.lines();
  std::sort(seen.begin(), seen.end());
  CHECK(seen == lines{"p.a 1", "p.b 2"});
}

TEST_CASE("forward takes the options of a subscription", "[forward]") {
  program mine;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent", {.history = 10});
  for (int i = 1; i <= 4; ++i) topic.publish(i);
  auto subscription = forward(topic, mine.system->spawn(telling, &told),
                              {.from = replay::all(), .where = [](const metadata& m) { return m.sequence % 2 == 0; }});
  topic.publish(5);
  topic.publish(6);
  CHECK(told.reaches(3));
  CHECK(told.lines() == lines{"sent 2", "sent 4", "sent 6"});
}

TEST_CASE("no more than the window is under way to the actor, and the overflow acts on the rest", "[forward]") {
  program mine;
  std::atomic<int> received{0};
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent", {.lane = 4});
  const auto actor = mine.system->spawn(hesitating, &received);
  const ends_with_the_test ends{actor};
  auto subscription = forward(topic, actor, {.overflow = overflow::block, .capacity = 6}, 3);
  int accepted = 0;
  while (accepted < 3 + 6 + 4 && !topic.publish_for(accepted, 20s)) ++accepted;
  CHECK(accepted == 3 + 6 + 4);
  CHECK(topic.publish_for(accepted, 20ms) == errc::timeout);
  REQUIRE(eventually([&] { return received == 3; }));
  CHECK_FALSE(bus.flush(1ms));
  for (int answered = 0; answered < accepted; ++answered) {
    REQUIRE(eventually([&] { return received > answered; }));
    CHECK(received <= answered + 3);
    caf::anon_send(actor, answer_atom::value);
  }
  CHECK(eventually([&] { return received == accepted; }));
  CHECK(bus.flush(20s));
}

TEST_CASE("an actor that is slow with drop_oldest affects nobody, and its loss is counted", "[forward]") {
  program mine;
  std::atomic<int> received{0};
  story others;
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent", {.lane = 4});
  const auto actor = mine.system->spawn(hesitating, &received);
  const ends_with_the_test ends{actor};
  auto slow = forward(topic, actor, {.overflow = overflow::drop_oldest, .capacity = 6, .name = "slow"}, 3);
  auto fast = topic.subscribe(others.handler());
  for (int i = 0; i < 1000; ++i) topic.publish(i);
  CHECK(others.reaches(1000));
  REQUIRE(eventually([&] { return received == 3; }));
  for (int i = 0; i < 3; ++i) caf::anon_send(actor, answer_atom::value);
  REQUIRE(eventually([&] { return received >= 5; }));  // the window opens at half its size, and is filled again
  for (const auto& each : bus.snapshot().subscriptions) {
    if (each.name == "slow") CHECK(each.dropped > 0);
  }
}

TEST_CASE("every way of handling an event is an answer", "[forward]") {
  program mine;
  std::atomic<int> received{0};
  caf::actor actor;
  SECTION("returning nothing") {
    actor = mine.system->spawn(
        [&](caf::event_based_actor*) -> caf::behavior { return {[&](const event<int>&) { ++received; }}; });
  }
  SECTION("returning a value") {
    actor = mine.system->spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](const event<int>& e) { return ++received + *e; }};
    });
  }
  SECTION("returning an error") {
    actor = mine.system->spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](const event<int>&) -> caf::result<int> {
        ++received;
        return caf::sec::runtime_error;
      }};
    });
  }
  SECTION("not knowing it") {
    actor = mine.system->spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->set_default_handler([&](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
        ++received;
        return caf::sec::unexpected_message;
      });
      return {[](const std::string&) {}};
    });
  }
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent");
  auto subscription = forward(topic, actor, {}, 2);
  for (int i = 0; i < 100; ++i) topic.publish(i);
  CHECK(eventually([&] { return received == 100; }));
}

TEST_CASE("what was published is sent before the bus closes, and handled also after it", "[forward]") {
  const int count = static_cast<int>(scaled(5'000));
  program mine;
  story told;
  {
    actorbus::bus bus;
    auto topic = bus.topic<int>("sent");
    auto subscription = forward(topic, mine.system->spawn(telling, &told), {}, 16);
    for (int i = 0; i < count; ++i) topic.publish(i);
    const auto end = bus.close(20s);
    CHECK(end.drained);
    CHECK(end.totals.adds_up());
    CHECK(end.totals.delivered == static_cast<std::uint64_t>(count));
  }
  CHECK(told.reaches(static_cast<std::size_t>(count)));
}

TEST_CASE("nothing is sent after cancel, and the subscription lets its actor go", "[forward]") {
  program mine;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent");
  auto actor = mine.system->spawn(telling, &told);
  const caf::actor_addr address = actor.address();
  auto subscription = forward(topic, actor);
  actor = nullptr;
  topic.publish(1);
  REQUIRE(told.reaches(1));
  subscription.cancel();
  topic.publish(2);
  CHECK(eventually([&] { return caf::actor_cast<caf::strong_actor_ptr>(address) == nullptr; }));
  CHECK(told.size() == 1);
}

TEST_CASE("a forwarding ends when its actor does", "[forward]") {
  program mine;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent", {.lane = 4});
  auto actor = mine.system->spawn(telling, &told);
  SECTION("while it forwards") {
    auto subscription = forward(topic, actor, {.capacity = 2}, 2);
    topic.publish(1);
    REQUIRE(told.reaches(1));
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    CHECK(eventually([&] { return !subscription.active(); }));
    for (int i = 0; i < 100; ++i) CHECK_FALSE(topic.publish_for(i, 20s));
  }
  SECTION("before it begins") {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    auto subscription = forward(topic, actor);
    CHECK(eventually([&] { return !subscription.active(); }));
  }
}

TEST_CASE("forward to no actor, or with no window, is an invalid argument", "[forward]") {
  program mine;
  story told;
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent");
  const auto actor = mine.system->spawn(telling, &told);
  CHECK(error_of([&] { auto s = forward(topic, caf::actor{}); }) == errc::invalid_argument);
  CHECK(error_of([&] { auto s = forward(topic, actor, {}, 0); }) == errc::invalid_argument);
  CHECK(error_of([&] { auto s = forward<int>(bus, "a.>.b", actor); }) == errc::invalid_pattern);
  CHECK(bus.snapshot().subscriptions.empty());
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_CASE("members of a group may forward, each event to one actor", "[forward]") {
  program mine;
  story told[2];
  actorbus::bus bus;
  auto topic = bus.topic<int>("sent");
  auto a = forward(topic, mine.system->spawn(telling, &told[0]), {.group = "g"}, 4);
  auto b = forward(topic, mine.system->spawn(telling, &told[1]), {.group = "g"}, 4);
  for (int i = 0; i < 1000; ++i) topic.publish(i);
  CHECK(eventually([&] { return told[0].size() + told[1].size() == 1000; }));
}

TEST_CASE("an actor may keep events, which keep their payload", "[forward]") {
  program mine;
  census living;
  std::vector<event<counted>> kept;
  std::atomic<int> received{0};
  {
    actorbus::bus bus;
    auto topic = bus.topic<counted>("sent");
    auto subscription = forward(topic, mine.system->spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](const event<counted>& e) {
        kept.push_back(e);
        ++received;
      }};
    }));
    for (int i = 0; i < 10; ++i) topic.publish(counted(living, i));
    REQUIRE(eventually([&] { return received == 10; }));
  }
  CHECK(living.made() == 10);
  CHECK(living.living() == 10);
  for (int i = 0; i < 10; ++i) CHECK(kept[static_cast<std::size_t>(i)]->value() == i);
  kept.clear();
  CHECK(eventually([&] { return living.living() == 0; }));
}
