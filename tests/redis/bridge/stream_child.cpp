// One of several processes that share the stream of topic `x`: publishes each line that it reads, and prints each event
// that its handler gets. Arguments: the server's URI, the name it resumes by, and, if wanted, the event in whose
// handler it stands still until it is killed.
#include <chrono>
#include <future>
#include <iostream>
#include <string>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

using namespace std::chrono_literals;

int main(int count, char** words) {
  if (count != 3 && count != 4) return 1;
  const std::string last = count == 4 ? words[3] : "";
  actorbus::bus bus;
  auto topic = bus.topic<std::string>("x");
  actorbus::redis::bridge redis{bus, {.uri = words[1], .prefix = "t:"}};
  std::cout << "ready" << std::endl;
  const auto s = topic.subscribe(
      [&](const std::string& value) {
        std::cout << value << std::endl;
        if (value == last) std::promise<void>().get_future().wait();
      },
      {.run_on = actorbus::run_on::own_thread});
  redis.stream<std::string>("x", {.from = actorbus::replay::all(), .deduplicate = true, .resume_as = words[2]});
  for (std::string line; std::getline(std::cin, line);) topic.publish(line);
  return bus.close(20s).drained ? 0 : 1;
}
