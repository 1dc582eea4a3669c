// Requests and replies: typed, with a deadline, and every failure arrives through the future.
#include <chrono>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

struct division {
  int dividend, divisor;
};

// What came of a request: its reply, or the error.
std::string outcome(std::future<int> reply) {
  try {
    return std::to_string(reply.get());
  } catch (const actorbus::bus_error& e) {
    return e.what();
  }
}

int main() {
  actorbus::bus bus;

  auto divider = bus.respond<division, int>("math.divide", [](const division& d) {
    if (d.divisor == 0) throw std::domain_error("division by zero");
    return d.dividend / d.divisor;
  });
  // A responder that takes the event sees the headers; on a thread of its own it may take its time.
  std::promise<void> gate;
  auto sleeper =
      bus.respond<std::string, int>("text.length",
                                    [open = gate.get_future().share()](const actorbus::event<std::string>& e) {
                                      if (e.headers().contains("slowly")) open.wait();
                                      return static_cast<int>(e->size());
                                    },
                                    {.run_on = actorbus::run_on::own_thread});

  std::cout << "7 / 2 = " << outcome(bus.request<int>("math.divide", division{7, 2}, 1s)) << '\n';
  std::cout << "length = " << outcome(bus.request<int>("text.length", std::string{"four"}, 1s)) << '\n';

  std::cout << outcome(bus.request<int>("math.divide", division{1, 0}, 1s)) << '\n';
  std::cout << outcome(bus.request<int>("math.multiply", division{1, 0}, 1s)) << '\n';
  std::cout << outcome(bus.request<int>("text.length", std::string{"late"}, 10ms, {{"slowly", ""}})) << '\n';
  gate.set_value();  // too late: that reply is dropped

  // With a callback, for use inside handlers.
  std::promise<int> answer;
  bus.request_async<int>("text.length", std::string{"asynchronous"}, 1s,
                         [&](const actorbus::reply<int>& r) { answer.set_value(*r); });
  std::cout << "length = " << answer.get_future().get() << '\n';
  std::cout << "late replies: " << bus.snapshot().late_replies << '\n';
}
