// Backpressure: a subscriber that falls a whole `capacity` behind stops its topic, and publishers choose what to do
// about it: wait, wait so long, or not at all. Nothing is lost; on_pressure says when it gets tight.
#include <chrono>
#include <future>
#include <iostream>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

int main() {
  actorbus::bus bus;
  auto jobs = bus.topic<int>("jobs", {.capacity = 8, .lane = 4});

  std::promise<void> tight, relaxed;
  jobs.on_pressure(6, 1, [&](actorbus::pressure mark, std::size_t) {
    (mark == actorbus::pressure::high ? tight : relaxed).set_value();
  });

  // A subscriber that cannot go on before the gate opens. overflow::block is the default.
  std::promise<void> gate;
  std::size_t handled = 0;
  auto worker = jobs.subscribe(
      [&handled, open = gate.get_future().share()](int) {
        open.wait();
        ++handled;
      },
      {.run_on = actorbus::run_on::own_thread});

  int next = 0;
  while (!jobs.publish_for(next, 1s)) ++next;  // waits so long at most
  std::cout << "publish_for: in vain after " << next << " jobs, 8 in the topic and 4 in this publisher's lane\n";
  tight.get_future().wait();
  std::cout << "on_pressure: high\n";

  const std::error_code refused = jobs.try_publish(next);  // never waits
  std::cout << "try_publish: " << refused.message() << '\n';

  std::future<void> accepted = jobs.publish_async(next++);  // never waits either: the future does
  const bool still_waiting = accepted.wait_for(0ms) == std::future_status::timeout;
  std::cout << "publish_async: " << (still_waiting ? "not accepted yet\n" : "accepted\n");

  gate.set_value();
  jobs.publish(next++);  // waits as long as it takes
  accepted.get();
  relaxed.get_future().wait();
  std::cout << "on_pressure: low\n";
  bus.flush(5s);
  std::cout << "handled: " << handled << " of " << next << " jobs\n";
}
