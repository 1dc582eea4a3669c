// Runs Debian's redis-cli against a test's server, as a user would in a shell.
#pragma once

#include <string>
#include <vector>

namespace actorbus::testing {

class redis_server;

/// What it prints, for a program: texts as they are, a line each. Throws std::runtime_error with that if it fails or
/// the server answers with an error.
std::string redis_cli(const redis_server& to, const std::vector<std::string>& arguments);

}  // namespace actorbus::testing
