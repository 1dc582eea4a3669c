// A stream is a topic whose memory outlives its processes. One that comes late gets what it missed, and one that comes
// back under its name goes on where it was.
//
// Needs a redis-server on this machine, or where REDIS_URI says.
#include <chrono>
#include <future>
#include <initializer_list>
#include <iostream>

#include <bridges/json.hpp>
#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "process.hpp"

using namespace std::chrono_literals;

struct reading {
  double celsius;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(reading, celsius)  // travels as JSON

// Publishes some readings, and ends: they stay in the stream.
void thermometer(std::initializer_list<double> measured) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "weather:"}};
  redis.stream<reading>("tower", {.maxlen = 1000});
  for (const double each : measured) bus.topic<reading>("tower").publish({each});
  bus.close(5s);  // sends what is still to be sent
}

// Reads all there is. Redis keeps its place in the stream, under its name.
void archive(const process::ready&) {
  actorbus::bus bus;
  std::promise<void> done;
  auto all = bus.topic<reading>("tower").subscribe(
      actorbus::overloaded{[](const reading& r) { std::cout << "archive: " << r.celsius << std::endl; },
                           [&](const actorbus::caught_up&) { done.set_value(); }});
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "weather:"}};
  redis.stream<reading>(
      "tower", {.from = actorbus::replay::all(), .direction = actorbus::redis::direction::in, .resume_as = "archive"});
  done.get_future().wait_for(5s);
  bus.close(5s);
}

// Comes late, asks its own topic for the last four readings, and goes on with what comes.
void visitor(const process::ready& ready) {
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = redis_uri(), .prefix = "weather:"}};
  redis.stream<reading>("tower");
  redis.wait_ready(5s);
  bool live = false;
  std::promise<void> done;
  auto some = bus.topic<reading>("tower").subscribe(
      actorbus::overloaded{[&](const reading& r) {
                             std::cout << "visitor: " << r.celsius << (live ? ", just now" : "") << std::endl;
                             if (live) done.set_value();
                           },
                           [&](const actorbus::caught_up&) {
                             live = true;
                             ready();
                           }},
      {.from = actorbus::replay::last(4)});
  done.get_future().wait_for(5s);
}

int main() {
  {
    process night([](const auto&) { thermometer({4.5, 3.75, 3.5}); });
  }  // each ends before the next begins
  { process first(archive); }
  {
    process morning([](const auto&) { thermometer({6, 9.25}); });
  }
  { process again(archive); }
  process late(visitor);
  late.wait_until_ready();
  process noon([](const auto&) { thermometer({14}); });
}
