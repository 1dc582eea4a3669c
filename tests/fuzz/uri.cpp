// Any text as a URI: taken or refused; what is taken is described by another URI to the same place.
#include <cstdint>
#include <cstdlib>

#include <bridges/redis/uri.hpp>
#include <bus/errors.hpp>

using actorbus::redis::uri;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  uri taken;
  try {
    taken = uri::parse(text);
  } catch (const actorbus::bus_error& error) {
    if (error.code() != actorbus::errc::invalid_argument) std::abort();
    return 0;
  }
  if (taken.transport != actorbus::redis::transport::unix_socket && (taken.host.empty() || taken.port == 0))
    std::abort();
  const bool plain =
      taken.host.find_first_of("%@/?#[]:") == std::string::npos && taken.path.find_first_of("%?#") == std::string::npos;
  uri open = taken;
  open.user.clear();
  open.password.clear();
  if (plain && uri::parse(taken.describe()) != open) std::abort();
  return 0;
}
