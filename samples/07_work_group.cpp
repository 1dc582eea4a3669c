// A work group: two members share a topic's events, a key keeps each customer's orders on one member and in order. What
// fails is tried again, then set aside as a dead letter, and put back once the cause is repaired.
#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

struct order {
  std::string customer;
  int amount;
};

// What the members have done, each in its own thread's time.
class ledger {
 public:
  void enter(const order& o) {
    std::lock_guard lock(mutex_);
    entries_[o.customer].push_back(o.amount);
  }
  void print() {
    std::lock_guard lock(mutex_);
    for (const auto& [customer, amounts] : entries_) {
      std::cout << "  " << customer << ":";
      for (const int each : amounts) std::cout << ' ' << each;
      std::cout << '\n';
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<int>> entries_;
};

int main() {
  actorbus::bus bus;
  auto orders = bus.topic<order>("orders");
  auto dead = bus.topic<order>("orders.dead", {.history = 100});  // dead letters are kept

  ledger booked;
  std::atomic<bool> card_reader_works = false;
  const auto bill = [&](const order& o) {
    if (o.amount > 1000 && !card_reader_works) throw std::runtime_error("the card reader is broken");
    booked.enter(o);
  };
  const actorbus::subscribe_options in_group{
      .group = "billing",
      .on_error = actorbus::on_error::retry(2, 1ms).then_dead_letter("orders.dead"),
      .key = [](const order& o) { return o.customer; },
  };
  auto first = orders.subscribe(bill, in_group);
  auto second = orders.subscribe(bill, in_group);

  for (int i = 1; i <= 3; ++i) {
    for (const char* customer : {"Ann", "Bob", "Cleo"}) orders.publish({customer, 10 * i});
  }
  orders.publish({"Bob", 5000});
  orders.publish({"Bob", 40});
  bus.flush(5s);
  std::cout << "booked:\n";
  booked.print();

  auto letters = dead.inbox({.from = actorbus::replay::all()});
  if (const auto letter = letters.next(1s)) {
    const auto& h = letter->headers();
    std::cout << "dead letter: " << (*letter)->customer << ' ' << (*letter)->amount << ", #"
              << h.get(actorbus::dead_letter::sequence) << " of " << h.get(actorbus::dead_letter::topic) << ", tried "
              << h.get(actorbus::dead_letter::attempts) << " times: " << h.get(actorbus::dead_letter::error) << '\n';
  }

  card_reader_works = true;
  std::cout << "put back: " << bus.redrive<order>("orders.dead") << '\n';
  bus.flush(5s);
  booked.print();
}
