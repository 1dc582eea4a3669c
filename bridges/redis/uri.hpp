// Where a Redis server is and as whom to log in: what a URI says.
//
//   redis://[user[:password]@]host[:port][/db]     TCP; [::1] for IPv6; port 6379 and database 0 unless given
//   rediss://[user[:password]@]host[:port][/db]    the same under TLS
//   unix://[user[:password]@]/path[?db=n]          a unix socket
//
// `?db=n` is taken on every kind; another parameter is an error. User, password and path may hold %XX, and must where
// they hold `@`, `/`, `?`, `#` or `%`. A password alone is `redis://:password@host`.
// Secrets: no error text quotes any part of the URI, and `describe` leaves user and password out. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace actorbus::redis {

enum class transport {
  tcp,
  tls,
  unix_socket,
};

struct uri {
  redis::transport transport = redis::transport::tcp;
  std::string host = {};      ///< TCP and TLS; without the brackets of an IPv6 address
  std::uint16_t port = 6379;  ///< TCP and TLS
  std::string path = {};      ///< of the unix socket
  std::string user = {};      ///< empty: the default user
  std::string password = {};  ///< empty: none; without a user, too: do not log in
  std::uint32_t database = 0;

  /// Throws errc::invalid_argument, saying which part is wrong and what would be right.
  static uri parse(std::string_view text);

  /// For logs and error texts, as `redis://127.0.0.1:6379/0`: without user and password.
  std::string describe() const;

  friend bool operator==(const uri&, const uri&) = default;
};

}  // namespace actorbus::redis
