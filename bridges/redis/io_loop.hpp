// The one thread of a bridge that does its I/O, on Boost.Asio. Everything of a bridge that is not said to be otherwise
// lives on it.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <thread>

namespace actorbus::redis {

class io_loop {
 public:
  /// `on_failure`: what an exception that reached the loop said; the loop goes on.
  explicit io_loop(std::function<void(const char*)> on_failure);
  /// Stops.
  ~io_loop();
  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;

  /// Runs it on the loop's thread, in the order of the calls. Any thread. After `stop` it is forgotten.
  void post(std::function<void()> what);
  bool is_here() const { return std::this_thread::get_id() == thread_.get_id(); }
  boost::asio::io_context& context() { return context_; }
  /// Ends the thread; not on the loop's thread.
  void stop();

 private:
  void run();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  const std::function<void(const char*)> on_failure_;
  std::thread thread_;
};

}  // namespace actorbus::redis
