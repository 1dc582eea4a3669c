// Your own CAF actors and a bus on one actor system: the same workers run both. A topic's events are forwarded
// to an actor, and the actor publishes. The system is yours: closing the bus leaves your actors alone.
#include <chrono>
#include <iostream>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <actors/forward.hpp>
#include <actors/host.hpp>
#include <bus/bus.hpp>

using namespace std::chrono_literals;

// An actor of yours: receives Celsius, as events of the bus or as messages of its own, and publishes Fahrenheit.
caf::behavior thermometer(caf::event_based_actor*, actorbus::topic<double> fahrenheit) {
  auto convert = [fahrenheit](double celsius) { fahrenheit.publish(celsius * 9 / 5 + 32); };
  return {[convert](const actorbus::event<double>& celsius) { convert(*celsius); }, convert};
}

int main() {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));  // the policy with which a bus is quickest
  caf::actor_system system{config};                      // must outlive the bus

  actorbus::bus bus{actorbus::engine_on(system), {.name = "hosted"}};
  auto celsius = bus.topic<double>("room.celsius");
  auto fahrenheit = bus.topic<double>("room.fahrenheit");
  auto readings = fahrenheit.inbox();

  const caf::actor converter = system.spawn(thermometer, fahrenheit);
  auto forwarding = actorbus::forward(celsius, converter);

  for (const double value : {-40.0, 0.0, 20.0}) celsius.publish(value);
  for (int i = 0; i < 3; ++i) {
    if (const auto converted = readings.next(5s)) std::cout << "forwarded: " << **converted << " F\n";
  }
  caf::anon_send(converter, 100.0);
  if (const auto converted = readings.next(5s)) std::cout << "sent: " << **converted << " F\n";

  bus.close();
  caf::anon_send_exit(converter, caf::exit_reason::user_shutdown);
}
