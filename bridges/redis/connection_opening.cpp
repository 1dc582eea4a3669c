// How a connection comes about: the addresses of its server, the socket.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>

#include <bridges/redis/connection.hpp>
#include <bridges/redis/connection_link.hpp>

namespace actorbus::redis {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Half-open connections are found also where nothing is sent.
void keep_alive(asio::generic::stream_protocol::socket& socket) {
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

/// As Redis writes it.
std::string address_of(const asio::generic::stream_protocol::socket& socket) {
  error_code error;
  const auto here = socket.local_endpoint(error);
  asio::ip::tcp::endpoint tcp;
  if (error || here.size() > tcp.capacity()) return {};
  std::memcpy(tcp.data(), here.data(), here.size());
  const std::string host = tcp.address().to_string();
  return (tcp.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(tcp.port());
}

}  // namespace

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
  if (where_.transport != transport::unix_socket) {
    keep_alive(on->socket);
    address_ = address_of(on->socket);
  }
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

}  // namespace actorbus::redis
