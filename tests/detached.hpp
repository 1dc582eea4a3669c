// The smallest coroutine: it starts at once, belongs to nobody, and ends the program if it throws.
#pragma once

#include <coroutine>
#include <exception>

namespace actorbus::testing {

struct detached {
  struct promise_type {
    detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace actorbus::testing
