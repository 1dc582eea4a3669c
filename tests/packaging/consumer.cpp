// A program outside the project: publishes three readings and reads them back, with no other option than the target's.
#include <actors/forward.hpp>
#include <actors/host.hpp>
#include <bus/bus.hpp>
#include <iostream>

int main() {
  actorbus::bus bus;
  auto readings = bus.topic<int>("consumer.readings");
  auto inbox = readings.inbox();
  for (int reading : {1, 2, 3}) readings.publish(reading);
  readings.finish();

  int sum = 0;
  for (const auto& reading : inbox) sum += *reading;
  std::cout << "read back " << sum << '\n';
  return sum == 6 ? 0 : 1;
}
