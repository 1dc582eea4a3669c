// The socket of one attempt of a connection. What is still under way for an older one finds that it is not the present
// link.
//
// Threads: the loop's.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <bridges/redis/connection.hpp>

namespace actorbus::redis {

struct connection::link {
  using socket_type = boost::asio::generic::stream_protocol::socket;
  static constexpr auto wait_read = socket_type::wait_read;
  static constexpr auto wait_write = socket_type::wait_write;

  explicit link(boost::asio::io_context& context) : socket(context) {}

  socket_type socket;
};

}  // namespace actorbus::redis
