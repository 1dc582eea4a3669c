#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/io_loop.hpp>

#include <boost/asio/post.hpp>
#include <exception>

namespace actorbus::redis {

io_loop::io_loop(std::function<void(const char*)> on_failure)
    : work_(boost::asio::make_work_guard(context_)), on_failure_(std::move(on_failure)), thread_([this] { run(); }) {}

io_loop::~io_loop() { stop(); }

void io_loop::post(std::function<void()> what) { boost::asio::post(context_, std::move(what)); }

void io_loop::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void io_loop::run() {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      on_failure_(error.what());
    } catch (...) {
      on_failure_("an exception that is no std::exception");
    }
  }
}

}  // namespace actorbus::redis
