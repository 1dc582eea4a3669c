// Any text as fields in form encoding: what is read is written, and read as the same.
#include <cstdint>
#include <cstdlib>

#include <bus/codec.hpp>
#include <bus/errors.hpp>

using fields = std::map<std::string, std::string>;
using codec = actorbus::codec<fields>;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fields read;
  try {
    read = codec::decode({reinterpret_cast<const char*>(data), size});
  } catch (const actorbus::bus_error& error) {
    if (error.code() != actorbus::errc::decode_failed) std::abort();
    return 0;
  }
  std::string written;
  codec::encode(read, written);
  if (codec::decode(written) != read) std::abort();
  return 0;
}
