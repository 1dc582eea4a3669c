// A game loop: each tick polls an inbox. Polling never blocks and allocates nothing, and takes no more than the tick
// can afford; what is left comes with the next tick.
#include <chrono>
#include <iostream>
#include <thread>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

enum class key { left, right, fire };

struct ship {
  int x = 0;
  int shots = 0;

  void handle(key pressed) {
    switch (pressed) {
      case key::left:
        --x;
        break;
      case key::right:
        ++x;
        break;
      case key::fire:
        ++shots;
        std::cout << "a shot from " << x << '\n';
        break;
    }
  }
};

// Another thread: the player, with a publisher of its own.
void play(actorbus::publisher<key> keys) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) keys.publish(key::right);
    keys.publish(key::fire);
    for (int i = 0; i < 4; ++i) keys.publish(key::left);
    std::this_thread::sleep_for(20ms);
  }
}

int main() {
  constexpr std::size_t most_in_a_tick = 4;
  actorbus::bus bus;
  auto keys = bus.topic<key>("player.keys");
  auto input = keys.inbox();
  std::jthread player([&] {
    play(keys.publisher());
    keys.finish();  // behind all that was published
  });

  ship one;
  std::size_t handled = 0;
  bool always_in_budget = true;
  for (auto next_tick = std::chrono::steady_clock::now(); !input.closed();) {
    const std::size_t now = input.poll([&](key pressed) { one.handle(pressed); }, most_in_a_tick);
    always_in_budget = always_in_budget && now <= most_in_a_tick;
    handled += now;
    // Here the world moves and is drawn.
    std::this_thread::sleep_until(next_tick += 5ms);
  }
  std::cout << handled << " keys, " << input.dropped() << " lost, " << one.shots << " shots, the ship is at " << one.x
            << (always_in_budget ? ", no tick took more than it could afford\n" : ", a tick took too much\n");
}
