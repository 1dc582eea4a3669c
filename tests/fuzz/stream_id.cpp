// Any text as a stream id, as the place of an event in a stream, and as a saved cursor: what is one is written, and
// read as the same.
#include <cstdint>
#include <cstdlib>

#include <bridges/redis/saved_cursor.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bridges/redis/stream_offset.hpp>

using actorbus::redis::saved_cursor;
using actorbus::redis::stream_id;
using actorbus::redis::stream_offset;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto at = stream_offset::parse(text); at && stream_offset::parse(at->to_string()) != at) std::abort();
  if (const auto cursor = saved_cursor::parse(text); cursor && cursor->within) {
    if (cursor->within->id < cursor->behind || cursor->within->place == 0) std::abort();
  }
  const auto id = stream_id::parse(text);
  if (!id) return 0;
  if (stream_id::parse(id->to_string()) != id || id->next() < *id || id->previous() > *id) std::abort();
  if (stream_id::at(id->time()) > *id) std::abort();
  return 0;
}
