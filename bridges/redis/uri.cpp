#include <bridges/redis/uri.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

#include <bus/errors.hpp>

namespace actorbus::redis {

namespace {

constexpr std::string_view kinds =
    "redis://[user[:password]@]host[:port][/db], rediss:// with the same, or unix://[user[:password]@]/path[?db=n]";

/// Quotes nothing: any part may be a password in the wrong place.
[[noreturn]] void refuse(const std::string& wrong) {
  throw bus_error(errc::invalid_argument, "not the URI of a Redis server: " + wrong + "; it is " + std::string(kinds));
}

int digit(char byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/// `%XX` as the byte it stands for.
std::string decoded(std::string_view text, const char* part) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high >= 0 ? digit(text[i + 2]) : -1;
    if (low < 0) refuse(std::string("in its ") + part + " a `%` is not followed by two hexadecimal digits");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (result.find('\0') != result.npos) refuse(std::string("its ") + part + " holds a zero byte");
  return result;
}

template <class Number>
bool parse_whole(std::string_view text, Number& to) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, to);
  return error == std::errc{} && stop == end && !text.empty();
}

/// Cuts what stands before the first of `separators`, and that one, off `rest`; what stands behind stays empty if there
/// is none.
std::string_view cut(std::string_view& rest, std::string_view separators) noexcept {
  const std::size_t end = std::min(rest.find_first_of(separators), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

void parse_database(std::string_view text, uri& to) {
  // The server reads it into an int.
  if (!parse_whole(text, to.database) || to.database > std::numeric_limits<std::int32_t>::max()) {
    refuse("its database is not a number from 0");
  }
}

void parse_parameters(std::string_view rest, uri& to) {
  while (!rest.empty()) {
    std::string_view parameter = cut(rest, "&");
    if (cut(parameter, "=") != "db") refuse("it has a parameter other than `db`");
    parse_database(parameter, to);
  }
}

void parse_login(std::string_view text, uri& to) {
  to.user = decoded(cut(text, ":"), "user");
  to.password = decoded(text, "password");
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`.
void parse_server(std::string_view text, uri& to) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == text.npos) refuse("a `[` before its host has no `]`");
    to.host = std::string(text.substr(1, bracket - 1));
    if (to.host.find(':') == to.host.npos) refuse("what stands in brackets is not an IPv6 address");
    port = text.substr(bracket + 1);
    has_port = !port.empty();
    if (has_port && port.front() != ':') refuse("something stands between the `]` and its port");
    if (has_port) port.remove_prefix(1);
  } else {
    has_port = text.find(':') != text.npos;
    to.host = decoded(cut(text, ":"), "host");
    port = text;
  }
  if (to.host.empty()) refuse("it has no host");
  if (has_port && (!parse_whole(port, to.port) || to.port == 0)) refuse("its port is not a number from 1 to 65535");
}

void parse_socket(std::string_view path, uri& to) {
  if (!path.starts_with('/')) refuse("the path of its socket does not begin with a `/`, as in unix:///run/redis.sock");
  to.path = decoded(path, "path");
  if (to.path.size() > 107) refuse("the path of its socket is longer than 107 bytes");  // sockaddr_un's room
}

}  // namespace

uri uri::parse(std::string_view text) {
  uri result;
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  if (colon == text.npos) refuse("it has no `://`");
  if (scheme == "rediss") {
    result.transport = transport::tls;
  } else if (scheme == "unix") {
    result.transport = transport::unix_socket;
  } else if (scheme != "redis") {
    refuse("it begins with none of `redis`, `rediss` and `unix`");
  }

  std::string_view parameters = text.substr(colon + 3);
  if (parameters.find('#') != parameters.npos) refuse("it holds a `#`, which is written %23");
  std::string_view place = cut(parameters, "?");
  parse_parameters(parameters, result);
  // A name may hold no `/` and no `@`: what is before the last `@` of that part is the login.
  const std::string_view authority = place.substr(0, place.find('/'));
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    parse_login(authority.substr(0, at), result);
    place.remove_prefix(at + 1);
  }
  if (result.transport == transport::unix_socket) {
    parse_socket(place, result);
  } else {
    parse_server(cut(place, "/"), result);
    if (!place.empty()) parse_database(place, result);
  }
  return result;
}

std::string uri::describe() const {
  if (transport == transport::unix_socket) {
    return "unix://" + path + (database == 0 ? "" : "?db=" + std::to_string(database));
  }
  const bool v6 = host.find(':') != host.npos;
  return (transport == transport::tls ? "rediss://" : "redis://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port) + "/" + std::to_string(database);
}

}  // namespace actorbus::redis
