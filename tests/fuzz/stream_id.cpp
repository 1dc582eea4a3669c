// Any text as a stream id: what is one is written, and read as the same.
#include <cstdint>
#include <cstdlib>

#include <bridges/redis/stream_id.hpp>

using actorbus::redis::stream_id;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto id = stream_id::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!id) return 0;
  if (stream_id::parse(id->to_string()) != id || id->next() < *id || id->previous() > *id) std::abort();
  if (stream_id::at(id->time()) > *id) std::abort();
  return 0;
}
