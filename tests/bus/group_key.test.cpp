#include <bus/key_function.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/error_of.hpp"
#include "tests/recording_logger.hpp"

using namespace actorbus;
using namespace std::chrono_literals;
using testing::error_of;
using testing::manual_bus;

namespace {

struct order {
  int customer;
  int number;
};

const auto by_customer = [](const order& o) { return o.customer; };

/// Who handled what: a key's events in the order of their handling, each with the name of the member.
class ledger {
 public:
  auto member(char name) {
    return [this, name](const order& o) { write(name, o); };
  }
  void write(char name, const order& o) {
    orders_[o.customer].push_back(o.number);
    members_[o.customer] += name;
  }
  const std::vector<int>& orders(int customer) { return orders_[customer]; }
  const std::string& members(int customer) { return members_[customer]; }

  bool in_order(int customer, int count) {
    std::vector<int> expected;
    for (int n = 1; n <= count; ++n) expected.push_back(n);
    return orders(customer) == expected;
  }
  /// One member handled all of this customer's orders.
  bool one_member(int customer) {
    return members(customer).find_first_not_of(members(customer).front()) == std::string::npos;
  }

 private:
  std::map<int, std::vector<int>> orders_;
  std::map<int, std::string> members_;
};

}  // namespace

TEST_CASE("a key of the value keeps a key on one member, in order", "[group][key]") {
  manual_bus on;
  auto orders = on.bus.topic<order>("orders");
  ledger book;
  const subscribe_options keyed{.group = "billing", .key = by_customer};
  const auto a = orders.subscribe(book.member('a'), keyed);
  const auto b = orders.subscribe(book.member('b'), keyed);
  const auto c = orders.subscribe(book.member('c'), keyed);
  for (int n = 1; n <= 50; ++n) {
    for (int customer = 0; customer < 10; ++customer) {
      orders.publish({customer, n});
      if ((n + customer) % 7 == 0) on.run();
    }
  }
  on.run();
  for (int customer = 0; customer < 10; ++customer) {
    CAPTURE(customer);
    CHECK(book.in_order(customer, 50));
    CHECK(book.one_member(customer));
  }
}

TEST_CASE("a key of the metadata does so too", "[group][key]") {
  manual_bus on;
  auto orders = on.bus.topic<order>("orders");
  ledger book;
  const subscribe_options keyed{.group = "billing",
                                .key = [](const metadata& m) { return std::string(m.headers.get("customer")); }};
  const auto a = orders.subscribe(book.member('a'), keyed);
  const auto b = orders.subscribe(book.member('b'), keyed);
  for (int n = 1; n <= 40; ++n) {
    orders.publish({n % 4, (n - 1) / 4 + 1}, {{"customer", std::to_string(n % 4)}});
    if (n % 3 == 0) on.run();
  }
  on.run();
  for (int customer = 0; customer < 4; ++customer) {
    CHECK(book.in_order(customer, 10));
    CHECK(book.one_member(customer));
  }
}

TEST_CASE("an event whose key belongs to a resting member wakes that member", "[group][key]") {
  manual_bus on;
  auto orders = on.bus.topic<order>("orders");
  ledger book;
  const subscribe_options keyed{.group = "billing", .key = by_customer};
  const auto a = orders.subscribe(book.member('a'), keyed);
  const auto b = orders.subscribe(book.member('b'), keyed);
  const auto c = orders.subscribe(book.member('c'), keyed);
  for (int n = 1; n <= 30; ++n) {
    orders.publish({7, n});
    on.run();
    REQUIRE(book.orders(7).size() == static_cast<std::size_t>(n));
  }
  CHECK(book.one_member(7));
}

TEST_CASE("keys stay with their members and in order while others join and leave", "[group][key]") {
  manual_bus on;
  auto orders = on.bus.topic<order>("orders");
  ledger book;
  const subscribe_options keyed{.group = "billing", .key = by_customer};
  const auto stays = orders.subscribe(book.member('s'), keyed);
  for (int customer = 0; customer < 5; ++customer) orders.publish({customer, 1});
  on.run();
  for (int round = 0; round < 10; ++round) {
    auto guest = orders.subscribe(book.member(static_cast<char>('0' + round)), keyed);
    for (int customer = 0; customer < 10; ++customer) {
      for (int i = 0; i < 2; ++i) orders.publish({customer, 2 * round + i + (customer < 5 ? 2 : 1)});
      if (customer % 3 == 0) on.run();
    }
    if (round % 2 == 0) on.run();
    guest.cancel();
    on.run();
  }
  for (int customer = 0; customer < 10; ++customer) {
    CAPTURE(customer, book.members(customer));
    CHECK(book.in_order(customer, customer < 5 ? 21 : 20));
  }
  for (int customer = 0; customer < 5; ++customer) CHECK(book.one_member(customer));  // what `stays` had, it keeps
}

TEST_CASE("the keys of a member that leaves go to others, what was unfinished first", "[group][key]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto orders = on.bus.topic<order>("orders");
  ledger book;
  const subscribe_options keyed{.group = "billing", .on_error = on_error::retry(9, 1min), .key = by_customer};
  auto fails = orders.subscribe([](const order&) { throw std::runtime_error("not now"); }, keyed);
  for (int n = 1; n <= 10; ++n) orders.publish({1, n});
  on.run();
  const auto other = orders.subscribe(book.member('o'), keyed);
  for (int n = 11; n <= 20; ++n) orders.publish({1, n});
  on.run();
  CHECK(book.orders(1).empty());  // the first waits for its retry, the others behind it
  fails.cancel();
  on.advance(1min);
  CHECK(book.in_order(1, 20));
}

TEST_CASE("a retry holds its key's events and no others, however many wait behind it", "[group][key]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto orders = on.bus.topic<order>("orders");
  ledger book;
  int failures = 2;
  const subscribe_options keyed{.group = "billing", .on_error = on_error::retry(3, 10s), .key = by_customer};
  const auto only = orders.subscribe(
      [&](const order& o) {
        if (o.customer == 1 && failures > 0 && failures-- > 0) throw std::runtime_error("not now");
        book.write('m', o);
      },
      keyed);
  for (int n = 1; n <= 300; ++n) {
    orders.publish({1, n});
    orders.publish({2, n});
  }
  on.run();
  CHECK(book.orders(1).empty());
  CHECK(book.in_order(2, 300));
  on.advance(10s);
  CHECK(book.orders(1).empty());
  on.advance(20s - 1ns);
  CHECK(book.orders(1).empty());
  on.advance(1ns);
  CHECK(book.in_order(1, 300));
}

TEST_CASE("a key's event that finally fails lets the next one of its key follow", "[group][key]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto orders = on.bus.topic<order>("orders");
  auto dead = on.bus.topic<order>("orders.dead").inbox();
  ledger book;
  const auto fails_at_2 = [&](const order& o) {
    if (o.number == 2) throw std::runtime_error("never 2");
    book.write('m', o);
  };
  const subscribe_options keyed{
      .group = "billing", .on_error = on_error::retry(2, 1ms).then_dead_letter("orders.dead"), .key = by_customer};
  const auto a = orders.subscribe(fails_at_2, keyed);
  const auto b = orders.subscribe(fails_at_2, keyed);
  for (int n = 1; n <= 4; ++n) {
    for (int customer = 0; customer < 3; ++customer) orders.publish({customer, n});
  }
  on.advance(1s);
  for (int customer = 0; customer < 3; ++customer) CHECK(book.orders(customer) == std::vector{1, 3, 4});
  int letters = 0;
  dead.poll([&](const event<order>& e) { letters += e->number == 2 && e.headers().get(dead_letter::attempts) == "3"; });
  CHECK(letters == 3);
}

TEST_CASE("a key that throws follows on_error, and the rest goes on", "[group][key]") {
  testing::recording_logger log;
  manual_bus on({.logger = log.logger()});
  auto orders = on.bus.topic<order>("orders");
  auto dead = on.bus.topic<order>("orders.dead").inbox();
  ledger book;
  int failures = 2;
  const subscribe_options keyed{.group = "billing",
                                .on_error = on_error::retry(1, 1s).then_dead_letter("orders.dead"),
                                .key = [&](const order& o) {
                                  if (o.number == 2 && failures > 0 && failures-- > 0)
                                    throw std::runtime_error("no key");
                                  return o.customer;
                                }};
  const auto a = orders.subscribe(book.member('a'), keyed);
  for (int n = 1; n <= 4; ++n) orders.publish({1, n});
  on.run();
  CHECK(book.orders(1) == std::vector{1});
  on.advance(1s);
  CHECK(book.orders(1) == std::vector{1, 3, 4});
  int letters = 0;
  dead.poll(
      [&](const event<order>& e) { letters += e->number == 2 && e.headers().get(dead_letter::error) == "no key"; });
  CHECK(letters == 1);
  const auto end = on.bus.close(1s);
  CHECK(end.totals.adds_up());
  CHECK(end.totals.failed == 1);
  CHECK(log.text().find("no key") != std::string::npos);
}

TEST_CASE("a key without a group is errc::invalid_argument", "[group][key]") {
  manual_bus on;
  CHECK(error_of([&] {
          static_cast<void>(on.bus.subscribe<order>("orders", [](const order&) {}, {.key = by_customer}));
        }) == errc::invalid_argument);
}

TEST_CASE("a key of another type than the topic's is errc::type_mismatch", "[group][key]") {
  manual_bus on;
  CHECK(error_of([&] {
          static_cast<void>(on.bus.subscribe<int>("orders", [](int) {}, {.group = "g", .key = by_customer}));
        }) == errc::type_mismatch);
}
