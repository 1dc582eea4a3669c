// A program outside the project with a bridge to a server that is not there: events stay in the process.
#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>
#include <iostream>
#include <string>

int main() {
  actorbus::bus bus;
  actorbus::redis::bridge redis(
      bus, {.uri = "unix:///nowhere/redis.sock", .prefix = "consumer:", .close_within = std::chrono::seconds{0}});
  redis.stream<std::string>("consumer.readings");
  auto readings = bus.topic<std::string>("consumer.readings");
  auto inbox = readings.inbox();
  readings.publish("kept");
  const auto one = inbox.next(std::chrono::seconds{20});
  std::cout << (one ? "read " + **one : std::string("nothing")) << '\n';
  return one && **one == "kept" && !redis.wait_ready(std::chrono::seconds{0}) ? 0 : 1;
}
