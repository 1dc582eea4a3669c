#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/replica_waits.hpp>

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bus/errors.hpp>

namespace actorbus::redis {

void replica_waits::one::fail(errc why, const char* text) {
  if (std::exchange(is_done, true)) return;
  what.promise.set_exception(std::make_exception_ptr(
      bus_error(why, std::string("publish_confirmed: the event is in the stream, but ") + text)));
}

void replica_waits::add(confirmations::request what, stream_id id) {
  queued_.push_back(std::make_shared<one>(one{std::move(what), id}));
  all_.push_back(queued_.back());
  if (!asks_) ask();
}

void replica_waits::ask() {
  asks_ = true;
  pool_.borrow(queued_.front()->what.deadline, [this](const connection_pool::loan& by) {
    asks_ = false;
    const several now = std::exchange(queued_, {});
    if (by) return ask(*by, by, now);
    for (const auto& each : now) each->fail(errc::not_connected, "no connection was free to ask its replicas");
  });
}

void replica_waits::ask(connection& by, const connection_pool::loan& kept, const several& all) {
  append_command(by.out(), {"PING"});
  expect_once(by, [](const reply*) {});
  std::chrono::nanoseconds longest{0};
  for (const auto& each : all) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(each->what.deadline - confirmations::clock::now());
    const auto within = std::max(left, std::chrono::milliseconds{1});
    longest += within;
    command_writer out(by.out());
    out.begin(3).word("WAIT").number(static_cast<std::int64_t>(each->what.replicas)).number(within.count());
    const auto take = [each, kept](const reply* answer) {
      if (answer == nullptr)
        return each->fail(errc::not_connected, "the connection was lost before its replicas had it");
      if (answer->is_error()) return each->fail(errc::refused_by_server, "the server refused WAIT");
      if (answer->integer < static_cast<std::int64_t>(each->what.replicas))
        return each->fail(errc::timeout, "not on so many replicas in time");
      if (!std::exchange(each->is_done, true)) each->what.promise.set_value(each->id);
    };
    expect_once(by, take, longest);
  }
}

void replica_waits::expire(confirmations::clock::time_point now) {
  std::erase_if(all_, [now](const auto& each) {
    if (each->what.deadline <= now) each->fail(errc::timeout, "not on so many replicas in time");
    return each->is_done;
  });
}

}  // namespace actorbus::redis
