#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/outbox.hpp>

namespace actorbus::redis {

using boost::asio::posix::stream_descriptor;

outbox::outbox(io_loop& loop, std::unique_ptr<out_port> from)
    : from_(std::move(from)), readable_(std::make_shared<stream_descriptor>(loop.context())) {}

outbox::~outbox() { close(); }

void outbox::on_readable(std::function<void()> call) {
  call_ = std::move(call);
  readable_->assign(from_->readable_fd());
}

std::size_t outbox::take(out_reader& to, std::size_t most) {
  if (!from_ || most == 0) return 0;
  const std::size_t taken = from_->poll(to, most);
  if (taken < most) wait();
  return taken;
}

void outbox::wait() {
  if (waits_ || !readable_->is_open() || from_->closed()) return;
  waits_ = true;
  readable_->async_wait(stream_descriptor::wait_read,
                        [this, alive = std::weak_ptr(readable_)](boost::system::error_code error) {
                          if (error || alive.expired()) return;
                          waits_ = false;
                          call_();
                        });
}

void outbox::close() {
  if (!from_) return;
  if (readable_->is_open()) readable_->release();  // the descriptor is the inbox's
  readable_.reset();
  from_->close();
  from_.reset();
}

}  // namespace actorbus::redis
