#include "tests/redis/redis_cli.hpp"

#include <stdexcept>

#include "tests/redis/piped_child.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

std::string redis_cli(const redis_server& to, const std::vector<std::string>& arguments) {
  // -e: fails by an error of the server, which it then prints where only a shell sees it.
  std::vector<std::string> command{find_program("sh"), "-c", R"(exec "$0" "$@" 2>&1)", find_program("redis-cli"), "-s",
                                   to.unix_socket(),   "-e"};
  if (!to.password().empty()) command.insert(command.end(), {"--no-auth-warning", "-a", to.password()});
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto [printed, status] = piped_child(command).finish();
  if (status != 0) throw std::runtime_error("redis-cli failed: " + printed);
  return printed;
}

}  // namespace actorbus::testing
