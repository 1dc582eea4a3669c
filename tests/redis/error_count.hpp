// How often a server has answered with an error.
#pragma once

#include <cstdint>
#include <string>

#include "tests/redis/client.hpp"

namespace actorbus::testing {

/// `code`: its first word, such as NOPERM.
inline std::uint64_t error_count(redis_client& client, const std::string& code) {
  const auto info = client.run("INFO", "errorstats").text();
  const auto at = info.find("errorstat_" + code + ":count=");
  return at == std::string::npos ? 0 : std::stoull(info.substr(info.find('=', at) + 1));
}

}  // namespace actorbus::testing
