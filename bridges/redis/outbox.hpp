// What a route takes events out of: an inbox, woken through its descriptor in the loop.
//
// The topic's log is the outbox: nothing is taken that cannot be sent, and what overflows is the inbox's matter.
// Threads: the loop's, except for the making.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <bridges/redis/io_loop.hpp>
#include <bridges/redis/route_type.hpp>

namespace actorbus::redis {

class outbox {
 public:
  outbox(io_loop& loop, std::unique_ptr<out_port> from);
  ~outbox();
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;

  /// Called on the loop when there is something to be taken, or nothing will be any more.
  void on_readable(std::function<void()> call);
  /// At most `most` events go to `to`. Fewer: there are no more now, and on_readable is called when there are.
  std::size_t take(out_reader& to, std::size_t most);
  bool is_closed() const { return !from_ || from_->closed(); }
  /// Everything of the topic before `sequence` was taken, or will never be.
  bool has_taken(std::string_view topic, std::uint64_t sequence) const {
    return !from_ || from_->has_read(topic, sequence);
  }
  void close();

 private:
  void wait();

  std::unique_ptr<out_port> from_;
  std::shared_ptr<boost::asio::posix::stream_descriptor> readable_;
  std::function<void()> call_;
  bool waits_ = false;
};

}  // namespace actorbus::redis
