// A consumer of the group `g` in a process of its own, which stands still in its handler until it is killed.
// Arguments: the server's URI, the consumer's name, how many events it may hold.
#include <future>
#include <iostream>
#include <string>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

int main(int count, char** words) {
  if (count != 4) return 1;
  actorbus::bus bus;
  actorbus::redis::bridge redis{bus, {.uri = words[1], .prefix = "t:"}};
  auto work = redis.consume<std::string>("work",
                                         [](const std::string& value) {
                                           std::cout << value << std::endl;
                                           std::promise<void>().get_future().wait();
                                         },
                                         {.group = "g", .consumer = words[2], .max_in_flight = std::stoul(words[3])});
  std::promise<void>().get_future().wait();
}
