// Any bytes as a map in MessagePack: what is one is written, and read as the same.
#include <cstdint>
#include <cstdlib>

#include <bridges/redis/msgpack_map.hpp>

using namespace actorbus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  headers read;
  if (redis::read_msgpack_map({reinterpret_cast<const char*>(data), size}, read) != nullptr) return 0;
  std::string written;
  redis::append_msgpack_map(read, "\n", written);
  read.erase("\n");
  headers again;
  if (redis::read_msgpack_map(written, again) != nullptr || !(again == read)) std::abort();
  return 0;
}
