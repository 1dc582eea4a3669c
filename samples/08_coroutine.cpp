// A consumer that is a coroutine: `co_await` suspends it instead of blocking a thread, and it goes on on one of the
// bus's workers.
#include <chrono>
#include <coroutine>
#include <exception>
#include <future>
#include <iostream>
#include <string>
#include <utility>

#include <bus/bus.hpp>

using namespace std::chrono_literals;

// The least a coroutine needs: it starts at once, and a future tells its end. The bus works with any task type.
struct task {
  struct promise_type {
    std::promise<void> done;
    task get_return_object() { return {done.get_future()}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() { done.set_value(); }
    void unhandled_exception() { done.set_exception(std::current_exception()); }
  };
  std::future<void> done;
};

// Reads words to their end, and asks for the length of each.
task consume(actorbus::bus& bus, actorbus::inbox<std::string> words, int& total) {
  while (const auto word = co_await words.next_async()) {
    const actorbus::reply<int> length = co_await bus.request_async<int>("text.length", **word, 1s);
    std::cout << **word << ' ' << *length << '\n';
    total += *length;
  }
}

int main() {
  actorbus::bus bus;
  auto words = bus.topic<std::string>("text.words");
  auto length =
      bus.respond<std::string, int>("text.length", [](const std::string& t) { return static_cast<int>(t.size()); });

  int total = 0;
  const task consumer = consume(bus, words.inbox(), total);
  for (const char* word : {"a", "topic", "is", "a", "log"}) words.publish(word);
  words.finish();  // then next_async() is empty
  consumer.done.wait();
  std::cout << "in all " << total << '\n';
}
