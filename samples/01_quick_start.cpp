// The quick start: a topic, a handler, a pattern, headers, an inbox, and the end.
#include <chrono>
#include <iostream>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

struct pose {
  double x, y, theta;
};

int main() {
  actorbus::bus bus;
  auto poses = bus.topic<pose>("robot.pose");  // found, or created

  // A handler takes the value. The bus calls it on a thread of its own, one call at a time.
  double travelled = 0;
  actorbus::subscription odometer = poses.subscribe([&](const pose& p) { travelled += p.x; });

  // Or it takes the event, which knows more. A pattern covers the topics of its type, present and to come.
  auto watch = bus.subscribe<pose>("robot.*", [](const actorbus::event<pose>& e) {
    std::cout << e.topic() << " #" << e.sequence() << ": x = " << e->x << ", from "
              << e.headers().get("source", "somewhere") << '\n';
  });

  // An inbox keeps events for a thread of yours: here, this one.
  actorbus::inbox<pose> mine = poses.inbox();

  poses.publish({1, 2, 0.5});                            // from any thread
  poses.publish({3, 2, 0.5}, {{"source", "odometry"}});  // with headers
  bus.flush(1s);                                         // both have been handled

  mine.poll([](const pose& p) { std::cout << "polled x = " << p.x << '\n'; });

  bus.topic<pose>("robot.goal").publish({9, 9, 0});  // new, and covered by the pattern

  const actorbus::close_report end = bus.close(5s);  // the handlers finish, then all stops
  std::cout << "travelled " << travelled << (end.drained ? ", nothing lost\n" : ", something left over\n");
}
