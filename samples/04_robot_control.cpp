// A robot's control loop. The sensor is faster than the controller, and only the newest pose is worth acting on: an
// inbox with overflow::latest holds just that one, and counts those it skipped.
#include <chrono>
#include <cmath>
#include <iostream>
#include <thread>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

struct pose {
  double x;  // metres
};

struct velocity {
  double x;  // metres a second
};

// The robot, simulated: moves at the velocity it was last told, and says where it is, a thousand times a second.
void drive(std::stop_token end, actorbus::bus& bus) {
  auto poses = bus.topic<pose>("robot.pose").publisher();
  auto commands = bus.inbox<velocity>("robot.velocity", {.overflow = actorbus::overflow::latest});
  pose now{0};
  double speed = 0;
  for (auto next = std::chrono::steady_clock::now(); !end.stop_requested();) {
    commands.poll([&](const velocity& v) { speed = v.x; });
    now.x += speed * 0.001;
    poses.publish(now);
    std::this_thread::sleep_until(next += 1ms);
  }
}

int main() {
  constexpr double goal = 0.5;
  actorbus::bus bus;
  auto poses = bus.inbox<pose>("robot.pose", {.overflow = actorbus::overflow::latest});
  auto velocities = bus.topic<velocity>("robot.velocity").publisher();
  std::jthread robot([&](std::stop_token end) { drive(end, bus); });

  double error = goal;
  std::size_t steps = 0;
  for (auto next = std::chrono::steady_clock::now(); std::abs(error) > 0.005;) {
    steps += poses.poll([&](const pose& p) { error = goal - p.x; });
    velocities.publish({10 * error});
    std::this_thread::sleep_until(next += 20ms);
  }
  velocities.publish({0});

  std::cout << "at the goal, less than a centimetre off\n"
            << "acted on " << steps << " poses, skipped " << poses.dropped() << " older ones\n";
}
