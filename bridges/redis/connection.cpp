#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/connection.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include <array>

namespace actorbus::redis {

namespace asio = boost::asio;
using boost::system::error_code;
using stream_socket = asio::generic::stream_protocol::socket;

namespace {

constexpr std::size_t read_size = std::size_t{64} * 1024;
constexpr std::size_t parse_size = std::size_t{16} * 1024;
constexpr int reads_in_a_row = 8;

/// Half-open connections are found also where nothing is sent.
void keep_alive(stream_socket& socket) {
  const int fd = socket.native_handle();
  const int on = 1;
  const int idle = 15;
  const int interval = 5;
  const int probes = 3;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

/// The socket of one attempt. What is still under way for an older one finds that it is not the present link.
struct connection::link {
  explicit link(asio::io_context& context) : socket(context) {}
  stream_socket socket;
};

connection::connection(io_loop& loop, const uri& where, session_settings with, retry_schedule retries,
                       connection_owner& owner, bool subscribes)
    : loop_(loop),
      where_(where),
      session_(std::move(with), std::move(retries)),
      owner_(&owner),
      subscribes_(subscribes),
      timer_(loop.context()),
      resolver_(loop.context()),
      received_(read_size) {}

void connection::start() {
  session_.start();
  drive();
}

void connection::stop() {
  session_.stop();
  drive();
}

void connection::drop(const std::string& reason) {
  if (link_) lose(reason);
  drive();
}

void connection::want() {
  session_.wanted();
  drive();
}

void connection::drive() {
  using kind = session_action::kind;
  for (;;) {
    auto action = session_.next(clock::now());
    switch (action.what) {
      case kind::wait:
        return arm();
      case kind::connect:
        owner_->on_connecting(*this);
        open();
        break;
      case kind::send:
        out_ += action.bytes;
        await(nullptr, action.replies);
        plan_flush();
        break;
      case kind::open:
        ++counts_.made;
        owner_->on_open(*this);
        break;
      case kind::drop:
        lose(action.text);
        break;
      case kind::end:
        timer_.cancel();
        resolver_.cancel();
        close_link();
        owner_->on_stopped(*this);
        return;
    }
  }
}

void connection::arm() {
  const auto when = session_.wake_at();
  if (when >= armed_) return;  // it looks then, and sees how long it still may sleep
  armed_ = when;
  timer_.expires_at(when);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->armed_ = clock::time_point::max();
    self->drive();
  });
}

void connection::open() {
  link_ = std::make_shared<link>(loop_.context());
  if (where_.transport == transport::unix_socket) {
    return connect_to(link_, {asio::local::stream_protocol::endpoint(where_.path)});
  }
  error_code not_an_address;
  const auto address = asio::ip::make_address(where_.host, not_an_address);
  if (!not_an_address) return connect_to(link_, {asio::ip::tcp::endpoint(address, where_.port)});
  resolver_.async_resolve(
      where_.host, std::to_string(where_.port),
      [weak = weak_from_this(), on = link_](error_code error, const asio::ip::tcp::resolver::results_type& found) {
        const auto self = weak.lock();
        if (!self || self->link_ != on) return;
        if (error || found.empty()) return self->fail(on, "cannot resolve the host: " + error.message());
        std::vector<endpoint> all;
        for (const auto& each : found) all.emplace_back(each.endpoint());
        self->connect_to(on, all);
      });
}

/// To the first that answers: a name may stand for addresses that nobody listens on.
void connection::connect_to(const std::shared_ptr<link>& on, const std::vector<endpoint>& where) {
  asio::async_connect(on->socket, where, [weak = weak_from_this(), on](error_code error, const endpoint&) {
    const auto self = weak.lock();
    if (!self || self->link_ != on) return;
    if (error) return self->fail(on, "cannot connect to " + self->where_.describe() + ": " + error.message());
    self->connected(on);
  });
}

void connection::connected(const std::shared_ptr<link>& on) {
  error_code ignored;
  on->socket.non_blocking(true, ignored);
  if (where_.transport != transport::unix_socket) keep_alive(on->socket);
  reader_.reset();
  out_.clear();
  sending_.clear();
  sent_ = 0;
  session_.connected(clock::now());
  wait_to_read(on);
  drive();
}

void connection::close_link() {
  if (!link_) return;
  error_code ignored;
  link_->socket.close(ignored);
  link_.reset();
}

void connection::fail(const std::shared_ptr<link>& on, const std::string& reason) {
  if (link_ != on) return;
  lose(reason);
  drive();
}

void connection::lose(const std::string& reason) {
  const bool was_up = session_.is_ready() || in_flight_ != 0;
  session_.disconnected(reason, clock::now());
  close_link();
  out_.clear();
  sending_.clear();
  sent_ = 0;
  awaits_room_ = false;
  in_flight_ = 0;
  if (was_up && !session_.is_stopping()) ++counts_.lost;
  for (auto gone = std::exchange(awaited_, {}); const auto& each : gone) {
    if (each.to != nullptr) each.to->lost(each.count);
  }
  if (!session_.is_stopping()) owner_->on_lost(*this, reason);
}

void connection::await(reply_sink* to, std::size_t count) {
  if (count == 0) return;
  in_flight_ += count;
  counts_.commands += count;
  if (!awaited_.empty() && awaited_.back().to == to) {
    awaited_.back().count += count;
  } else {
    awaited_.push_back({to, count});
  }
}

void connection::expect(reply_sink& to, std::size_t commands, std::chrono::nanoseconds longer) {
  await(&to, commands);
  session_.sent(clock::now(), longer);
  plan_flush();
}

void connection::expect_pushes(std::size_t commands) {
  counts_.commands += commands;
  plan_flush();
}

void connection::plan_flush() {
  if (flush_planned_ || awaits_room_) return;
  flush_planned_ = true;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush_planned_ = false;
    self->flush();
    self->drive();
  });
}

void connection::flush() {
  while (link_ && !awaits_room_) {
    if (sent_ == sending_.size()) {
      sending_.clear();
      sent_ = 0;
      if (out_.empty()) return;
      sending_.swap(out_);
    }
    error_code error;
    const std::size_t gone =
        link_->socket.write_some(asio::buffer(sending_.data() + sent_, sending_.size() - sent_), error);
    sent_ += gone;
    counts_.bytes_out += gone;
    if (!error) continue;
    if (error != asio::error::would_block && error != asio::error::try_again) {
      return fail(link_, "lost the connection while writing: " + error.message());
    }
    awaits_room_ = true;
    link_->socket.async_wait(stream_socket::wait_write, [weak = weak_from_this(), on = link_](error_code failed) {
      const auto self = weak.lock();
      if (!self || self->link_ != on) return;
      self->awaits_room_ = false;
      if (failed) return self->fail(on, "lost the connection: " + failed.message());
      self->flush();
    });
  }
}

void connection::wait_to_read(const std::shared_ptr<link>& on) {
  on->socket.async_wait(stream_socket::wait_read, [weak = weak_from_this(), on](error_code error) {
    const auto self = weak.lock();
    if (!self || self->link_ != on) return;
    if (error) return self->fail(on, "lost the connection: " + error.message());
    self->read(on);
  });
}

void connection::read(const std::shared_ptr<link>& on) {
  for (int i = 0; i < reads_in_a_row; ++i) {
    error_code error;
    const std::size_t size = on->socket.read_some(asio::buffer(received_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) break;
    if (error) {
      return fail(on, error == asio::error::eof ? "the server closed the connection"
                                                : "lost the connection while reading: " + error.message());
    }
    counts_.bytes_in += size;
    session_.heard(clock::now());
    // In small pieces: hiredis' reader moves what it has not yet read whenever it has read a kilobyte.
    for (std::size_t at = 0; at < size; at += parse_size) {
      reader_.feed({received_.data() + at, std::min(parse_size, size - at)});
      while (const reply* what = reader_.next()) {
        dispatch(*what);
        if (link_ != on) return;
      }
      if (!reader_.error().empty()) return fail(on, reader_.error());
    }
    if (size < received_.size()) break;
  }
  wait_to_read(on);
  drive();
}

bool connection::is_push(const reply& what) const {
  if (!what.is_array()) return what.is_error() && awaited_.empty();
  static constexpr std::array<std::string_view, 6> kinds{"message",     "pmessage",   "subscribe",
                                                         "unsubscribe", "psubscribe", "punsubscribe"};
  if (what.elements.size() < 3) return false;
  for (const auto each : kinds) {
    if (what.elements[0].text == each) return true;
  }
  return false;
}

void connection::dispatch(const reply& what) {
  if (subscribes_ && session_.is_ready() && is_push(what)) return owner_->on_push(*this, what);
  if (awaited_.empty()) {
    if (what.is_error()) return fail(link_, std::string(what.text));  // too many clients, and the like
    return fail(link_, "the server answered a command that was not sent");
  }
  reply_sink* const to = awaited_.front().to;
  if (--awaited_.front().count == 0) awaited_.pop_front();
  if (--in_flight_ == 0) session_.settled();
  if (to != nullptr) return to->take(what, *this);
  session_.answered(what, clock::now());
  if (!session_.is_ready()) drive();
}

}  // namespace actorbus::redis
